// What the fuzzers share: a check that stays in release builds, and input that
// is readable exactly as far as the caller promises. Knows nothing of what they
// test.
#pragma once

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "reflector/object_handler.h"

namespace kem {

// Ends the process, so that libFuzzer keeps the input, unless `holds`.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "property broken: %s\n", what);
  std::abort();
}

// A copy that ends kJsonPadding bytes past the text, so that reading further
// is caught. The padding repeats `filler`.
class PaddedText {
 public:
  PaddedText(std::string_view text, std::string_view filler)
      : size_(text.size()),
        bytes_(std::make_unique<char[]>(size_ + kJsonPadding)) {
    text.copy(bytes_.get(), size_);
    for (size_t i = 0; i < kJsonPadding; ++i) {
      bytes_[size_ + i] = filler[i % filler.size()];
    }
  }
  std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  size_t size_;
  std::unique_ptr<char[]> bytes_;
};

// Reads every byte, for the sake of AddressSanitizer.
inline void Touch(std::string_view bytes) {
  volatile char sum = 0;
  for (const char c : bytes) sum = static_cast<char>(sum ^ c);
}

}  // namespace kem

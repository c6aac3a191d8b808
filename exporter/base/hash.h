// 128-bit keys for what would else be stored as text: Event names and label
// tuples. Seeded with a secret of the process, so that whoever may write
// Events cannot make two keys meet; at 128 bits they do not by chance. Not for
// anything that is stored or sent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kem {

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

class Hasher {
 public:
  // With a secret from the operating system.
  Hasher();

  // Thread-safe.
  Hash128 operator()(std::string_view bytes) const;

 private:
  std::array<unsigned char, 192> secret_;
};

}  // namespace kem

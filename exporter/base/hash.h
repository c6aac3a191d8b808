// 128-bit keys for what would else be stored as text: Event names and label
// tuples. Seeded with a secret, so that whoever may write Events cannot make
// two keys meet; at 128 bits they do not by chance. Keys are saved with the
// state, and the secret beside them, in a file that its owner alone may read
// (mode 0600); neither is ever served, sent or logged.
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
  using Secret = std::array<unsigned char, 192>;

  // With a secret from the operating system.
  Hasher();
  // With the secret of saved keys.
  explicit Hasher(const Secret& secret) : secret_(secret) {}

  // Thread-safe.
  Hash128 operator()(std::string_view bytes) const;

  const Secret& secret() const { return secret_; }

 private:
  Secret secret_;
};

// Tells damaged bytes from whole ones, not forged ones. The same in every build
// and on every machine, which saved states and the names of mirrors rest on:
// XXH3, stable since xxHash 0.8.0 (xxhash.h). Thread-safe.
uint64_t Checksum(std::string_view bytes, uint64_t seed);

}  // namespace kem

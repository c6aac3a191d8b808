// 128-bit keys in place of stored text: Event names and label tuples. The
// secret seed keeps a writer of Events from constructing collisions; at 128
// bits they do not happen by chance. Keys and secret are saved together in the
// state file (mode 0600) and are never served, sent or logged.
#pragma once

#include <array>
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

  // Takes a secret from the operating system.
  Hasher();
  // Takes the secret of saved keys.
  explicit Hasher(const Secret& secret) : secret_(secret) {}

  // Thread-safe.
  Hash128 operator()(std::string_view bytes) const;

  const Secret& secret() const { return secret_; }

 private:
  Secret secret_;
};

// Detects damage, not forgery. XXH3, whose output is stable since xxHash 0.8.0
// (xxhash.h): saved states and the names of mirrored Events depend on that.
// Thread-safe.
uint64_t Checksum(std::string_view bytes, uint64_t seed);

}  // namespace kem

#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <random>

namespace kem {

Hasher::Hasher() : secret_{} {
  std::random_device entropy;
  for (size_t i = 0; i < secret_.size(); i += sizeof(unsigned)) {
    const unsigned word = entropy();
    std::memcpy(secret_.data() + i, &word, sizeof(word));
  }
}

Hash128 Hasher::operator()(std::string_view bytes) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(
      bytes.data(), bytes.size(), secret_.data(), secret_.size());
  return Hash128{hash.low64, hash.high64};
}

uint64_t Checksum(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace kem

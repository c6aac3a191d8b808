// An index of entries that their owner keeps by number: from a 128-bit key to
// the number of the entry that has it. Open addressing with linear probing, at
// most 3/4 full, 4 bytes a slot; keys stay in the entries. Used on the hot path
// by EventTracker and SeriesRows. Does not number, store or free entries.
//
// Not thread-safe. Allocates only when it grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/hash.h"

namespace kem {

// `key_of(number)` returns the key of an entry. Find calls it for entries in
// the table, Insert and Erase also for the entry in question.
class ProbingTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // `slots` is a power of two.
  explicit ProbingTable(size_t slots) : slots_(slots, kNone) {}

  // kNone when no entry has the key.
  template <typename KeyOf>
  uint32_t Find(const Hash128& key, const KeyOf& key_of) const {
    const size_t mask = slots_.size() - 1;
    for (size_t slot = key.low & mask;; slot = (slot + 1) & mask) {
      const uint32_t number = slots_[slot];
      if (number == kNone || key_of(number) == key) return number;
    }
  }

  // No entry may have the key of `number` yet.
  template <typename KeyOf>
  void Insert(uint32_t number, const KeyOf& key_of) {
    if (++size_ * 4 > slots_.size() * 3) {
      std::vector<uint32_t> old(slots_.size() * 2, kNone);
      old.swap(slots_);
      for (const uint32_t other : old) {
        if (other != kNone) Place(other, key_of);
      }
    }
    Place(number, key_of);
  }

  // Moves later entries up, so that no slot is lost to removals. `number` must
  // be in the table.
  template <typename KeyOf>
  void Erase(uint32_t number, const KeyOf& key_of) {
    const size_t mask = slots_.size() - 1;
    size_t hole = key_of(number).low & mask;
    while (slots_[hole] != number) hole = (hole + 1) & mask;
    for (size_t next = (hole + 1) & mask; slots_[next] != kNone;
         next = (next + 1) & mask) {
      const size_t home = key_of(slots_[next]).low & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots_[hole] = slots_[next];
        hole = next;
      }
    }
    slots_[hole] = kNone;
    --size_;
  }

 private:
  template <typename KeyOf>
  void Place(uint32_t number, const KeyOf& key_of) {
    const size_t mask = slots_.size() - 1;
    size_t slot = key_of(number).low & mask;
    while (slots_[slot] != kNone) slot = (slot + 1) & mask;
    slots_[slot] = number;
  }

  std::vector<uint32_t> slots_;
  size_t size_ = 0;
};

}  // namespace kem

// An index of entries that their owner keeps by number: from a 128-bit key to
// the number of the entry that has it. Open addressing with linear probing, at
// most 3/4 full, 4 bytes a slot; keys stay in the entries. Used on the hot path
// by EventTracker and SeriesRows. Does not number, store or free entries.
//
// Not thread-safe. Allocates only when it grows. Entries then move to the
// larger table a few at a time, with each Insert: no call takes time for all of
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
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
    const uint32_t found = FindIn(slots_, key, key_of);
    return found != kNone || old_.empty() ? found : FindIn(old_, key, key_of);
  }

  // No entry may have the key of `number` yet.
  template <typename KeyOf>
  void Insert(uint32_t number, const KeyOf& key_of) {
    if (++size_ * 4 > slots_.size() * 3) {
      // All has moved by now: see kMoves.
      old_ = std::exchange(slots_,
                           std::vector<uint32_t>(slots_.size() * 2, kNone));
      next_ = 0;
    }
    for (int i = 0; i < kMoves && !old_.empty(); ++i) MoveOne(key_of);
    Place(number, key_of);
  }

  // Moves later entries up, so that no slot is lost to removals. `number` must
  // be in the table.
  template <typename KeyOf>
  void Erase(uint32_t number, const KeyOf& key_of) {
    --size_;
    const size_t mask = slots_.size() - 1;
    size_t hole = SlotOf(slots_, number, key_of);
    if (slots_[hole] == kNone) {
      old_[SlotOf(old_, number, key_of)] = kMoved;
      return;
    }
    for (size_t next = (hole + 1) & mask; slots_[next] != kNone;
         next = (next + 1) & mask) {
      const size_t home = key_of(slots_[next]).low & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots_[hole] = slots_[next];
        hole = next;
      }
    }
    slots_[hole] = kNone;
  }

 private:
  // In an old slot: later ones are still searched.
  static constexpr uint32_t kMoved = kNone - 1;
  // Slots that each Insert moves: 1 to 2 us. Before n slots that doubled are
  // 3/4 full again, there are at least 3/4 n inserts; until all have moved a
  // search has two tables to look into.
  static constexpr int kMoves = 64;

  template <typename KeyOf>
  static uint32_t FindIn(const std::vector<uint32_t>& slots, const Hash128& key,
                         const KeyOf& key_of) {
    const size_t mask = slots.size() - 1;
    for (size_t slot = key.low & mask;; slot = (slot + 1) & mask) {
      const uint32_t number = slots[slot];
      if (number == kNone) return kNone;
      if (number != kMoved && key_of(number) == key) return number;
    }
  }

  // The slot of `number`, or the free one where the search for it ends.
  template <typename KeyOf>
  static size_t SlotOf(const std::vector<uint32_t>& slots, uint32_t number,
                       const KeyOf& key_of) {
    const size_t mask = slots.size() - 1;
    size_t slot = key_of(number).low & mask;
    while (slots[slot] != number && slots[slot] != kNone) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  template <typename KeyOf>
  void MoveOne(const KeyOf& key_of) {
    uint32_t& number = old_[next_];
    if (number < kMoved) Place(std::exchange(number, kMoved), key_of);
    if (++next_ == old_.size()) std::vector<uint32_t>().swap(old_);
  }

  template <typename KeyOf>
  void Place(uint32_t number, const KeyOf& key_of) {
    slots_[SlotOf(slots_, number, key_of)] = number;
  }

  std::vector<uint32_t> slots_;
  std::vector<uint32_t> old_;  // of which those from next_ on have not moved
  size_t next_ = 0;
  size_t size_ = 0;
};

}  // namespace kem

// Lets the owner of numbered cells save them in pieces, exactly as they were at
// one moment, while they change in between: before a cell changes that was not
// saved yet, its old value is kept. Used by EventTracker and SeriesRows, whose
// owners call it in every change; costs two comparisons when nothing is saved.
// Does not encode anything.
//
// Not thread-safe: guarded like the cells. No call takes time for everything
// that was kept: what is left of it is freed without the guard, see Leftovers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <utility>
#include <vector>

namespace kem {

// Memory that is in no use any more. Destroy it without a lock: that takes time
// for all of it.
using Leftovers = std::vector<std::shared_ptr<const void>>;

template <typename Value>
class PiecewiseSave {
 public:
  // `max_kept` bounds the memory: with more changes the save is given up.
  explicit PiecewiseSave(size_t max_kept) : max_kept_(max_kept) {}

  // Starts to save the cells below `end`. End must have ended a save before.
  void Begin(uint32_t end) { end_ = end; }
  // Adds to `left` what is kept.
  void End(Leftovers& left) {
    next_ = end_ = 0;
    gave_up_ = false;
    if (kept_) left.push_back(std::move(kept_));
  }
  // Too much changed: what was saved is of no use.
  bool gave_up() const { return gave_up_; }

  // Call it before a cell changes; `value()` returns the cell as it is.
  template <typename GetValue>
  void BeforeChange(uint32_t number, const GetValue& value) {
    if (number >= end_ || number < next_) return;
    Keep(number, value);
  }

  // Calls `save` with the next cells, in order, while `more()`: with the kept
  // value, or else with the number of a cell that did not change. False at the
  // end.
  template <typename More, typename SaveKept, typename SaveCell>
  bool Advance(const More& more, const SaveKept& save_kept,
               const SaveCell& save_cell) {
    for (; next_ < end_ && more(); ++next_) {
      // Those of cells that were saved are erased.
      if (!kept_ || kept_->values.empty() ||
          kept_->values.begin()->first != next_) {
        save_cell(next_);
      } else {
        save_kept(kept_->values.begin()->second);
        kept_->values.erase(kept_->values.begin());
      }
    }
    return next_ < end_;
  }

 private:
  struct Kept {
    // A few large pieces: after many small ones were freed, the next large
    // allocation joins them all, under the lock of the cells perhaps.
    std::pmr::monotonic_buffer_resource memory;
    // Not hashed: a table that grows moves all entries at once.
    std::pmr::map<uint32_t, Value> values{&memory};
  };

  template <typename GetValue>
  void Keep(uint32_t number, const GetValue& value) {
    if (!kept_) kept_ = std::make_shared<Kept>();
    const auto at = kept_->values.lower_bound(number);
    if (at != kept_->values.end() && at->first == number) return;
    if (kept_->values.size() == max_kept_) {
      next_ = end_ = 0;
      gave_up_ = true;
      return;
    }
    kept_->values.emplace_hint(at, number, value());
  }

  size_t max_kept_;
  uint32_t next_ = 0;
  uint32_t end_ = 0;
  std::shared_ptr<Kept> kept_;  // null while there is nothing
  bool gave_up_ = false;
};

}  // namespace kem

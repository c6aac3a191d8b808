// Lets the owner of numbered cells save them in pieces, exactly as they were at
// one moment, while they change in between: before a cell changes that was not
// saved yet, its old value is kept. Used by EventTracker and SeriesRows, whose
// owners call it in every change; costs two comparisons when nothing is saved.
// Does not encode anything.
//
// Not thread-safe: guarded like the cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>

namespace kem {

template <typename Value>
class PiecewiseSave {
 public:
  // `max_kept` bounds the memory: with more changes the save is given up.
  explicit PiecewiseSave(size_t max_kept) : max_kept_(max_kept) {}

  // Starts to save the cells below `end`.
  void Begin(uint32_t end) {
    End();
    end_ = end;
  }
  void End() {
    next_ = end_ = 0;
    std::unordered_map<uint32_t, Value>().swap(kept_);
    gave_up_ = false;
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
      const auto kept = kept_.find(next_);
      if (kept == kept_.end()) {
        save_cell(next_);
      } else {
        save_kept(kept->second);
        kept_.erase(kept);
      }
    }
    return next_ < end_;
  }

 private:
  template <typename GetValue>
  void Keep(uint32_t number, const GetValue& value) {
    if (kept_.contains(number)) return;
    if (kept_.size() == max_kept_) {
      End();
      gave_up_ = true;
      return;
    }
    kept_.emplace(number, value());
  }

  size_t max_kept_;
  uint32_t next_ = 0;
  uint32_t end_ = 0;
  std::unordered_map<uint32_t, Value> kept_;
  bool gave_up_ = false;
};

}  // namespace kem

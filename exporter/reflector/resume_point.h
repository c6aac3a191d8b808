// From which resourceVersion a watch can resume without losing an Event.
// Several watch events can share one resourceVersion: when a lease expires,
// etcd deletes up to 1,000 Events in one transaction. A stream that is cut may
// have sent only some of them, so a watch resumes from the newest version but
// one. The replays do no harm: what is not newer than what is stored is
// dropped. Kept by the ledger, read by the reflector.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"

namespace kem {

// Owned by one thread.
class ResumePoint {
 public:
  // A list at `version`, requested at `at`, was committed.
  void Reset(uint64_t version, SteadyTime at) {
    newest_ = before_newest_ = Position{version, at};
    complete_.reset();
  }

  // A list at `version` was committed, but the next watch still resumes from
  // resume().
  void Bridge(uint64_t version, SteadyTime at) {
    if (version > newest_.version) newest_ = Position{version, at};
  }

  // A watch event, bookmarks included, had `version`. A bookmark is no better
  // than the others: the watch cache may send one between two watch events of
  // one version. 0 and versions older than the newest (a replay) change
  // nothing.
  void Observe(uint64_t version, SteadyTime at) {
    if (version < newest_.version || version == 0) return;
    if (version > newest_.version) {
      before_newest_ = newest_;
      complete_.reset();
    }
    newest_ = Position{version, at};
  }

  // The stream ended properly: nothing of the newest version is missing. Not
  // part of the state: after a restart the watch resumes one version earlier,
  // whose replays show that the API server still has the history.
  void Complete() { complete_ = newest_; }

  // Moves the times, after a restart.
  void Shift(std::chrono::nanoseconds shift) {
    before_newest_.at = Shifted(before_newest_.at, shift);
    newest_.at = Shifted(newest_.at, shift);
    complete_.reset();
  }

  // 0 before the first list.
  uint64_t resume() const { return Resume().version; }
  uint64_t newest() const { return newest_.version; }
  // When resume() was last known to be the API server's present.
  SteadyTime resume_at() const { return Resume().at; }
  SteadyTime newest_at() const { return newest_.at; }
  // resume() and resume_at() without Complete(), for the state.
  uint64_t before_newest() const { return before_newest_.version; }
  SteadyTime before_newest_at() const { return before_newest_.at; }

 private:
  struct Position {
    uint64_t version = 0;
    SteadyTime at;
  };
  const Position& Resume() const {
    return complete_ ? *complete_ : before_newest_;
  }

  Position before_newest_;
  Position newest_;
  std::optional<Position> complete_;
};

}  // namespace kem

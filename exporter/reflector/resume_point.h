// From which resourceVersion a watch can resume without losing an Event.
// Several watch events can share one resourceVersion: when a lease expires,
// etcd deletes up to 1,000 Events in one transaction. A stream that ends may
// have sent only some of them, however properly it ends: an API server closes a
// watch at its timeoutSeconds in the middle of such a group. Only a watch event
// of a newer version proves that the group before is whole, so a watch resumes
// from the newest version but one. The replays do no harm: what is not newer
// than what is stored is dropped. Kept by the ledger, read by the reflector.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/bytes.h"
#include "base/clock.h"

namespace kem {

// Owned by one thread.
class ResumePoint {
 public:
  // A list at `version`, requested at `at`, was committed.
  void Reset(uint64_t version, SteadyTime at) {
    newest_ = resume_ = Position{version, at};
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
    if (version > newest_.version) resume_ = newest_;
    newest_ = Position{version, at};
  }

  // Moves the times, after a restart.
  void Shift(std::chrono::nanoseconds shift) {
    resume_.at = Shifted(resume_.at, shift);
    newest_.at = Shifted(newest_.at, shift);
  }

  // 0 before the first list.
  uint64_t resume() const { return resume_.version; }
  uint64_t newest() const { return newest_.version; }
  // When resume() was last known to be the API server's present.
  SteadyTime resume_at() const { return resume_.at; }
  SteadyTime newest_at() const { return newest_.at; }

 private:
  struct Position {
    uint64_t version = 0;
    SteadyTime at;
  };
  Position resume_;
  Position newest_;
};

}  // namespace kem

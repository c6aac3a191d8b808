// From which resourceVersion a watch may go on without losing anything. Several
// frames can share one resourceVersion (a lease's expiry deletes up to 1,000
// Events in one etcd transaction), so a stream that is cut may have told only
// some of them: one resumes from the last version that is known to be whole,
// the newest but one. The replay this brings is harmless, as every frame not
// newer than what is stored is dropped. Used by the reflector.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace kem {

// Owned by one thread.
class ResumePoint {
 public:
  // A list at `version` was committed; it was asked for at `at`.
  void Reset(uint64_t version, SteadyTime at) {
    newest_ = resume_ = Position{version, at};
  }

  // A list at `version` was committed, but the next watch is to go on from
  // resume() nevertheless.
  void Bridge(uint64_t version, SteadyTime at) {
    if (version > newest_.version) newest_ = Position{version, at};
  }

  // A frame or a bookmark told of `version`. A bookmark is no better than a
  // frame: the watch cache may send one between two frames of one version.
  // 0 and what is older than the newest (a replay) change nothing.
  void Observe(uint64_t version, SteadyTime at) {
    if (version < newest_.version || version == 0) return;
    if (version > newest_.version) resume_ = newest_;
    newest_ = Position{version, at};
  }

  // The stream ended properly: nothing of the newest version is missing.
  void Complete() { resume_ = newest_; }

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

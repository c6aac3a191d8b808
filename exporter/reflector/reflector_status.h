// How a reflector is doing, for /readyz and /livez: written by the reflector's
// thread, read by the scrape's threads. Judges nothing: what counts as ready or
// alive is decided there. Says nothing of Events.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"

namespace kem {

struct ReflectorHealth {
  // The first list was committed; never taken back.
  bool synced = false;
  // The last request was granted.
  bool in_contact = false;
  // What keeps the reflector from contact, in one sentence without secrets;
  // empty while in contact.
  std::string problem;
  // When the reflector will have come round again, if it is alive: each
  // request and wait has a bound. Past this it hangs.
  SteadyTime due = SteadyTime::max();
};

// Thread-safe.
class ReflectorStatus {
 public:
  ReflectorHealth Get() const {
    const std::lock_guard lock(mutex_);
    return health_;
  }

  void SetSynced() {
    const std::lock_guard lock(mutex_);
    health_.synced = true;
  }

  // True when there was a problem before.
  bool SetContact() {
    const std::lock_guard lock(mutex_);
    const bool had_problem = !problem_kinds_.empty();
    problem_kinds_.clear();
    health_.in_contact = true;
    health_.problem.clear();
    return had_problem;
  }

  // True when no problem of this kind was told of since the last contact: then
  // it is worth a warning. Two APIs may fail in turn for reasons of their own.
  bool SetProblem(std::string kind, std::string problem) {
    const std::lock_guard lock(mutex_);
    health_.in_contact = false;
    health_.problem = std::move(problem);
    return problem_kinds_.insert(std::move(kind)).second;
  }

  void SetDue(SteadyTime due) {
    const std::lock_guard lock(mutex_);
    health_.due = due;
  }

 private:
  mutable std::mutex mutex_;
  ReflectorHealth health_;
  std::set<std::string> problem_kinds_;
};

}  // namespace kem

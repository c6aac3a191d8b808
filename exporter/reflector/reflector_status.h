// The health of a reflector, for /readyz and /livez. Written by the reflector's
// thread, read by the HTTP threads. Does not decide what is ready or alive;
// those pages do.
#pragma once

#include <algorithm>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/clock.h"

namespace kem {

struct ReflectorHealth {
  // A list was committed; never reset.
  bool synced = false;
  // The last request succeeded.
  bool in_contact = false;
  // From then on nothing is missing that an earlier process knew.
  SteadyTime caught_up_at = SteadyTime::max();
  // Watch events arrive long after their Events, or not: something buffers
  // them.
  bool late = false;
  // Why there is no contact, as one sentence without secrets; empty in contact.
  std::string problem;
  // The latest end of the current step. After this the reflector hangs.
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

  // Returns whether there was a problem before.
  bool SetContact() {
    const std::lock_guard lock(mutex_);
    const bool had_problem = !problem_kinds_.empty();
    problem_kinds_.clear();
    health_.in_contact = true;
    health_.problem.clear();
    return had_problem;
  }

  // Returns whether this kind of problem is new since the last contact, and
  // worth a warning. Two APIs can fail in turn for different reasons.
  bool SetProblem(std::string kind, std::string problem) {
    const std::lock_guard lock(mutex_);
    health_.in_contact = false;
    health_.problem = std::move(problem);
    return problem_kinds_.insert(std::move(kind)).second;
  }

  // By `at` what happened before has arrived, if nothing ends earlier.
  void SetCaughtUpAt(SteadyTime at) {
    const std::lock_guard lock(mutex_);
    health_.caught_up_at = std::min(health_.caught_up_at, at);
  }

  void SetWatchEnded(SteadyTime now) {
    const std::lock_guard lock(mutex_);
    if (health_.caught_up_at > now) health_.caught_up_at = SteadyTime::max();
  }

  // Returns whether that changes anything.
  bool SetLate(bool late) {
    const std::lock_guard lock(mutex_);
    return std::exchange(health_.late, late) != late;
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

// What a Reflector is told once, at its making: by the app, by tests, and by
// nobody afterwards. Does not know flags, and checks nothing: who reads
// flags does.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "reflector/resume_point.h"
#include "reflector/session_stats.h"

namespace kem {

// What an earlier process knew of the collection.
struct Resumption {
  ResumePoint point;
  // Until when it had been in contact, by this process's clock.
  SteadyTime whole_until;
};

struct ReflectorOptions {
  // Names the reflector in logs.
  std::string name = "events";
  // Each watch is asked to last between 24/29 of this and this. At least 1 s.
  std::chrono::seconds watch_timeout{290};
  // To go on from with a watch. Without it a list comes first.
  std::optional<Resumption> resumption;
};

// What the process gives each reflector. Clock and stats may be shared and must
// outlive it; `random` is its own.
struct ReflectorContext {
  Clock& clock;
  SessionStats& stats;
  RandomUnit random;
};

}  // namespace kem

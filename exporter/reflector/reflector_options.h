// What a Reflector is told once, at its making: by the app, by tests, and by
// nobody afterwards. Does not know flags, and checks nothing: who reads
// flags does.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "reflector/session_stats.h"

namespace kem {

struct ReflectorOptions {
  // Names the reflector in logs.
  std::string name = "events";
  // Each watch is asked to last between 24/29 of this and this. At least 1 s.
  std::chrono::seconds watch_timeout{290};
  // Set when the handler's resume point is an earlier process's, which was in
  // contact until then by this process's clock. The reflector then starts with
  // a watch, otherwise with a list.
  std::optional<SteadyTime> resumed_whole_until;
};

// What the process gives each reflector. Clock and stats may be shared and must
// outlive it; `random` is its own.
struct ReflectorContext {
  Clock& clock;
  SessionStats& stats;
  RandomUnit random;
};

}  // namespace kem

// What a Reflector is constructed with: options, and the process's clock,
// counters and random numbers. Used by the pipeline and by tests. Validates
// nothing; the flags do.
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
  // Each watch requests a timeout between 24/29 of this and this. At least 1 s.
  std::chrono::seconds watch_timeout{290};
  // Set when the handler's resume point is an earlier process's, which was in
  // contact until then by this process's clock. The reflector then starts with
  // a watch, otherwise with a list.
  std::optional<SteadyTime> resumed_whole_until;
};

// Clock and stats may be shared, and must outlive the reflector.
struct ReflectorContext {
  Clock& clock;
  SessionStats& stats;
  RandomUnit random;
};

}  // namespace kem

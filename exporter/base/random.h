// Randomness, injected so that tests control it. The reflector uses it for
// back-off jitter and the length of a watch.
// Not for secrets.
#pragma once

#include <functional>

namespace kem {

// Returns a number in [0, 1) at each call.
using RandomUnit = std::function<double()>;

// Seeded from the operating system. Not thread-safe: use one per thread.
RandomUnit MakeRandomUnit();

}  // namespace kem

// Randomness, passed in so that tests own it: a number in [0, 1) at each call.
// The reflector uses it for back-off jitter and the length of a watch. Not for
// secrets.
#pragma once

#include <functional>

namespace kem {

using RandomUnit = std::function<double()>;

// A generator seeded from the operating system. Not thread-safe: one a thread.
RandomUnit MakeRandomUnit();

}  // namespace kem

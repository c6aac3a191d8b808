// client-go's exponential back-off (reflector.go: 800 ms, doubled, jitter
// factor 1, reset after 2 minutes without failure), so that thousands of
// clients do not return to a restarted API server at once. Used by the
// reflector for lists and watches.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace kem {

// Owned by one thread.
class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{800};
  // A wait is up to twice the delay, so no wait exceeds 30 s and the longest
  // are spread like the short ones.
  static constexpr std::chrono::milliseconds kLargest{15000};
  static constexpr std::chrono::minutes kForgetAfter{2};

  // The time to wait from `now`: in [delay, 2 delay), where the delay doubles
  // with each call. `unit` is a random number in [0, 1).
  std::chrono::milliseconds Next(SteadyTime now, double unit) {
    if (waited_until_ && now - *waited_until_ > kForgetAfter) Reset();
    const std::chrono::milliseconds wait =
        delay_ + std::chrono::milliseconds(static_cast<int64_t>(
                     static_cast<double>(delay_.count()) * unit));
    delay_ = std::min(2 * delay_, kLargest);
    waited_until_ = now + wait;
    return wait;
  }

  // After a success: the next wait is short.
  void Reset() { delay_ = kFirst; }

 private:
  std::chrono::milliseconds delay_ = kFirst;
  std::optional<SteadyTime> waited_until_;
};

}  // namespace kem

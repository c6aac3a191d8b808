// How long to wait before trying again: client-go's exponential back-off
// (reflector.go: 800 ms, doubled, jitter factor 1, forgotten after 2 minutes of
// peace), so that thousands of clients do not come back to a restarted API
// server at the same moment. Used by the reflector for lists and watches alike.
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
  // Half of the longest wait, for a wait is up to twice the delay: so 30 s are
  // never passed and the longest waits are as spread as the short ones.
  static constexpr std::chrono::milliseconds kLargest{15000};
  static constexpr std::chrono::minutes kForgetAfter{2};

  // The time to wait from `now` on: in [delay, 2 delay), where the delay
  // doubles at each call. `unit` is a random number in [0, 1).
  std::chrono::milliseconds Next(SteadyTime now, double unit) {
    if (waited_until_ && now - *waited_until_ > kForgetAfter) Reset();
    const std::chrono::milliseconds wait =
        delay_ + std::chrono::milliseconds(static_cast<int64_t>(
                     static_cast<double>(delay_.count()) * unit));
    delay_ = std::min(2 * delay_, kLargest);
    waited_until_ = now + wait;
    return wait;
  }

  // Something worked: the next wait is a short one.
  void Reset() { delay_ = kFirst; }

 private:
  std::chrono::milliseconds delay_ = kFirst;
  std::optional<SteadyTime> waited_until_;
};

}  // namespace kem

// Time, injected so that tests control it. The wall clock shows times, and
// limits those that writers of Events put into the future. The steady clock
// never jumps and serves back-off, deadlines and the initial zero.
#pragma once

#include <algorithm>
#include <chrono>
#include <stop_token>

namespace kem {

using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

// One moment on both clocks.
struct Moment {
  SteadyTime steady;
  WallTime wall;
};

// How far another machine's clock may be ahead. Times beyond are wrong, and
// must not decide anything about Events of other writers.
inline constexpr std::chrono::minutes kMaxAhead{1};

inline WallTime LimitAhead(WallTime time, WallTime now) {
  return std::min(time, now + kMaxAhead);
}

class Clock {
 public:
  virtual ~Clock() = default;

  virtual WallTime WallNow() const = 0;
  virtual SteadyTime SteadyNow() const = 0;
  Moment Now() const { return {SteadyNow(), WallNow()}; }

  // Blocks for `duration` or until `stop` is requested. False when stopped.
  // Thread-safe.
  virtual bool SleepFor(std::chrono::milliseconds duration,
                        std::stop_token stop) = 0;
};

// The machine's clocks. Thread-safe.
class RealClock : public Clock {
 public:
  WallTime WallNow() const override;
  SteadyTime SteadyNow() const override;
  bool SleepFor(std::chrono::milliseconds duration,
                std::stop_token stop) override;
};

}  // namespace kem

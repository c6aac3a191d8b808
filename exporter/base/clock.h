// Time, passed in so that tests own it. Everything that asks for the time or
// waits takes a Clock: the wall clock only to show times and to compare with
// nothing of the API server's, the steady clock for back-off, deadlines and
// the initial zero, because it never jumps.
#pragma once

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

class Clock {
 public:
  virtual ~Clock() = default;

  virtual WallTime WallNow() const = 0;
  virtual SteadyTime SteadyNow() const = 0;
  Moment Now() const { return {SteadyNow(), WallNow()}; }

  // Waits for `duration`, or less when `stop` is requested. True when the
  // whole duration went by. Thread-safe.
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

// Time, injected so that tests control it. The wall clock only shows times; it
// is never compared with times of the API server. The steady clock never jumps
// and serves back-off, deadlines and the initial zero.
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

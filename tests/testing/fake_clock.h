// A Clock that moves only on command: SleepFor returns at once, advances both
// clocks and records the duration. Used by all unit tests in which time
// matters. Not thread-safe.
#pragma once

#include <vector>

#include "base/clock.h"

namespace kem {

class FakeClock : public Clock {
 public:
  WallTime WallNow() const override { return wall_; }
  SteadyTime SteadyNow() const override { return steady_; }
  bool SleepFor(std::chrono::milliseconds duration,
                std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    sleeps.push_back(duration);
    Advance(duration);
    return true;
  }

  void Advance(std::chrono::microseconds duration) {
    wall_ += duration;
    steady_ += duration;
  }
  void SetWall(WallTime wall) { wall_ = wall; }

  std::vector<std::chrono::milliseconds> sleeps;

 private:
  // 2026-11-23T12:00:00Z.
  WallTime wall_{std::chrono::seconds(1795435200)};
  SteadyTime steady_{std::chrono::hours(1)};
};

}  // namespace kem

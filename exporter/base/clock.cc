#include "base/clock.h"

#include <condition_variable>
#include <mutex>

namespace kem {

WallTime RealClock::WallNow() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(
      std::chrono::system_clock::now());
}

SteadyTime RealClock::SteadyNow() const {
  return std::chrono::steady_clock::now();
}

bool RealClock::SleepFor(std::chrono::milliseconds duration,
                         std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, duration, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace kem

// How long a watch may last: as configured, and less while something on the way
// (a proxy, a load balancer, NAT) cuts watches. After three cuts in a row at
// about the same age, or after about the same silence, watches end themselves
// below it, because the end of a watch that is cut proves nothing. An hour
// later the configured limit is tried again. Used by the reflector. Does not
// know why a watch ended otherwise.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/clock.h"

namespace kem {

// Owned by one thread.
class WatchLimit {
 public:
  // Cuts before this age are failures, not a limit of a proxy.
  static constexpr std::chrono::seconds kLeastAge{5};
  static constexpr int kCuts = 3;
  static constexpr std::chrono::hours kKept{1};

  explicit WatchLimit(std::chrono::seconds configured)
      : configured_(configured), limit_(configured), reported_(configured) {}

  std::chrono::seconds Longest(SteadyTime now) {
    if (now >= until_) limit_ = configured_;
    return limit_;
  }

  // A watch was cut that lived for `lived` and was silent for `silent` at its
  // end. Returns the new limit when that is news: lower than any before.
  std::optional<std::chrono::seconds> NoteCut(std::chrono::milliseconds lived,
                                              std::chrono::milliseconds silent,
                                              SteadyTime now) {
    const auto age = ages_.Add(lived);
    const auto silence = silences_.Add(silent);
    if (!age && !silence) return {};
    Forget();
    const auto cut_at = std::min(age.value_or(std::chrono::hours(24)),
                                 silence.value_or(std::chrono::hours(24)));
    // A tenth for the way, and for timers that are not exact.
    limit_ = std::min(
        limit_, std::chrono::floor<std::chrono::seconds>(cut_at * 9 / 10));
    until_ = now + kKept;
    if (limit_ >= reported_) return {};
    reported_ = limit_ * 9 / 10;
    return limit_;
  }

  // A watch ended otherwise.
  void Forget() { ages_ = silences_ = Row(); }

 private:
  // Cuts in a row that differ by a tenth at most.
  class Row {
   public:
    // The least of them, when there are kCuts.
    std::optional<std::chrono::milliseconds> Add(
        std::chrono::milliseconds age) {
      least_ = count_ == 0 ? age : std::min(least_, age);
      greatest_ = std::max(greatest_, age);
      ++count_;
      if (greatest_ * 9 > least_ * 10) {
        least_ = greatest_ = age;
        count_ = 1;
      }
      if (age < kLeastAge) *this = Row();
      if (count_ < kCuts) return {};
      return least_;
    }

   private:
    int count_ = 0;
    std::chrono::milliseconds least_{0};
    std::chrono::milliseconds greatest_{0};
  };

  const std::chrono::seconds configured_;
  std::chrono::seconds limit_;
  std::chrono::seconds reported_;
  SteadyTime until_ = SteadyTime::max();
  Row ages_;
  Row silences_;
};

}  // namespace kem

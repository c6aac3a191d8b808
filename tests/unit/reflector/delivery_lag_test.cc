#include "reflector/delivery_lag.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Times in seconds of this machine. The API server's clock differs by `clocks`
// and gives whole seconds.
class DeliveryLagTest : public ::testing::TestWithParam<seconds> {
 protected:
  static SteadyTime At(double second) {
    return SteadyTime(hours(5)) +
           milliseconds(static_cast<int64_t>(second * 1000));
  }
  void Watch(double second) { lag.BeginWatch(At(second)); }
  void Arrive(double second, double created) {
    const auto server = std::chrono::floor<seconds>(
        milliseconds(static_cast<int64_t>(created * 1000)));
    lag.Add(At(second), WallTime(seconds(1'795'435'200) + clocks + server));
  }

  const seconds clocks = GetParam();
  DeliveryLag lag;
};

TEST_P(DeliveryLagTest, IsSmallWithoutABuffer) {
  Watch(0);
  for (int i = 1; i < 500; ++i) Arrive(i + 0.2, i + 0.1);
  EXPECT_EQ(lag.EndWatch(), 0U);
}

TEST_P(DeliveryLagTest, IsThatOfABufferThatFills) {
  Watch(0);
  for (const double created : {1, 12, 30, 40, 50, 51}) Arrive(51.1, created);
  // Of 1, 12, 30 and 40: more than 10 s.
  EXPECT_EQ(lag.EndWatch(), 4U);
}

TEST_P(DeliveryLagTest, IsThatOfOneEventAtTheEndOfEachWatch) {
  Watch(0);
  Arrive(240, 235);
  EXPECT_EQ(lag.EndWatch(), 0U);
  Watch(240);
  Arrive(480, 300);
  EXPECT_EQ(lag.EndWatch(), 1U);
  Watch(480);
  EXPECT_FALSE(lag.EndWatch());
  Watch(720);
  Arrive(960, 800);
  EXPECT_EQ(lag.EndWatch(), 1U);
}

TEST_P(DeliveryLagTest, HistoryIsOldAndNotLate) {
  Watch(0);
  Arrive(1, 1);
  EXPECT_EQ(lag.EndWatch(), 0U);
  // The API server was away for ten minutes.
  Watch(600);
  for (int i = 1; i < 600; ++i) Arrive(600.5, i);
  Arrive(620, 620);
  EXPECT_EQ(lag.EndWatch(), 0U);
}

TEST_P(DeliveryLagTest, HistoryThatDoesNotComeAtOnceIsLate) {
  Watch(0);
  Arrive(1, 1);
  EXPECT_EQ(lag.EndWatch(), 0U);
  Watch(600);
  Arrive(609, 500);
  EXPECT_EQ(lag.EndWatch(), 0U);
  Watch(700);
  Arrive(711, 600);
  Arrive(711, 699);
  Arrive(711, 705);
  EXPECT_EQ(lag.EndWatch(), 2U);
}

TEST_P(DeliveryLagTest, HistoryIsNotLateWithoutAnythingToCompareWith) {
  Watch(600);
  for (int i = 1; i < 600; i += 9) Arrive(600.5, i);
  EXPECT_EQ(lag.EndWatch(), 0U);
}

TEST_P(DeliveryLagTest, AServersClockThatIsSetIsForgiven) {
  for (const int step : {-3600, -20, 3600}) {
    lag = DeliveryLag();
    for (int watch = 0; watch < 9; ++watch) {
      Watch(watch * 100);
      for (int i = 1; i < 100; ++i) {
        Arrive(watch * 100 + i, watch * 100 + i + (watch < 3 ? 0 : step));
      }
      const std::optional<uint64_t> late = lag.EndWatch();
      if (watch < 3 || watch > 6) {
        EXPECT_EQ(late, 0U) << step << " " << watch;
      }
    }
  }
}

TEST_P(DeliveryLagTest, AWatchWithoutNewEventsProvesNothing) {
  Watch(0);
  EXPECT_FALSE(lag.EndWatch());
}

INSTANTIATE_TEST_SUITE_P(Clocks, DeliveryLagTest,
                         ::testing::Values(seconds(0), hours(2), -hours(2),
                                           hours(24 * 365 * 70)),
                         [](const auto& param) {
                           return "Case" + std::to_string(param.index);
                         });

}  // namespace
}  // namespace kem

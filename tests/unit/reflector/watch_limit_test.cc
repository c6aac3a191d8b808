#include "reflector/watch_limit.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

class WatchLimitTest : public ::testing::Test {
 protected:
  // The watch was silent as long as it lived.
  std::optional<seconds> Cut(milliseconds lived) {
    return limit.NoteCut(lived, lived, now);
  }

  SteadyTime now{hours(1)};
  WatchLimit limit{seconds(290)};
};

TEST_F(WatchLimitTest, IsAsConfigured) {
  EXPECT_EQ(limit.Longest(now), seconds(290));
  EXPECT_FALSE(Cut(seconds(30)));
  EXPECT_FALSE(Cut(seconds(30)));
  EXPECT_EQ(limit.Longest(now), seconds(290));
}

TEST_F(WatchLimitTest, IsBelowTheAgeOfThreeCuts) {
  Cut(milliseconds(30'400));
  Cut(milliseconds(30'100));
  EXPECT_EQ(Cut(milliseconds(33'000)), seconds(27));
  EXPECT_EQ(limit.Longest(now), seconds(27));
}

TEST_F(WatchLimitTest, IsBelowTheSilenceOfThreeCuts) {
  EXPECT_FALSE(limit.NoteCut(seconds(31), seconds(30), now));
  EXPECT_FALSE(limit.NoteCut(seconds(260), seconds(30), now));
  EXPECT_EQ(limit.NoteCut(seconds(77), seconds(30), now), seconds(27));
}

TEST_F(WatchLimitTest, IsBelowTheAgeOfBusyWatchesToo) {
  EXPECT_FALSE(limit.NoteCut(seconds(30), seconds(1), now));
  EXPECT_FALSE(limit.NoteCut(seconds(30), seconds(7), now));
  EXPECT_EQ(limit.NoteCut(seconds(30), milliseconds(20), now), seconds(27));
}

TEST_F(WatchLimitTest, CutsAtDifferentAgesProveNothing) {
  for (const int age : {30, 34, 60, 30, 34, 60, 200, 30}) {
    EXPECT_FALSE(Cut(seconds(age))) << age;
  }
  EXPECT_EQ(limit.Longest(now), seconds(290));
}

TEST_F(WatchLimitTest, CutsOfYoungWatchesProveNothing) {
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(Cut(milliseconds(4'999)));
  EXPECT_EQ(limit.Longest(now), seconds(290));
  Cut(seconds(5));
  Cut(seconds(5));
  EXPECT_EQ(Cut(seconds(5)), seconds(4));
}

TEST_F(WatchLimitTest, AnotherEndBreaksTheRow) {
  Cut(seconds(30));
  Cut(seconds(30));
  limit.Forget();
  EXPECT_FALSE(Cut(seconds(30)));
  EXPECT_FALSE(Cut(seconds(30)));
  EXPECT_TRUE(Cut(seconds(30)));
}

TEST_F(WatchLimitTest, AnHourLaterTheConfiguredOneIsTried) {
  for (int i = 0; i < 3; ++i) Cut(seconds(30));
  now += hours(1) - seconds(1);
  EXPECT_EQ(limit.Longest(now), seconds(27));
  now += seconds(1);
  EXPECT_EQ(limit.Longest(now), seconds(290));
}

TEST_F(WatchLimitTest, TheSameLimitIsReportedOnce) {
  for (int i = 0; i < 2; ++i) Cut(seconds(30));
  EXPECT_TRUE(Cut(seconds(30)));
  now += hours(1);
  EXPECT_EQ(limit.Longest(now), seconds(290));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Cut(seconds(29)));
  EXPECT_EQ(limit.Longest(now), seconds(26));
  for (int i = 0; i < 2; ++i) Cut(seconds(10));
  EXPECT_EQ(Cut(seconds(10)), seconds(9));
}

TEST_F(WatchLimitTest, NeverExceedsTheConfiguredOne) {
  WatchLimit low{seconds(20)};
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(low.NoteCut(seconds(35), seconds(35), now));
  }
  EXPECT_EQ(low.Longest(now), seconds(20));
}

}  // namespace
}  // namespace kem

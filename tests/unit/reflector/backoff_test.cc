#include "reflector/backoff.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

const SteadyTime kNow{std::chrono::hours(1)};

std::vector<int64_t> Waits(double unit, size_t count) {
  Backoff backoff;
  std::vector<int64_t> waits(count);
  for (int64_t& wait : waits) wait = backoff.Next(kNow, unit).count();
  return waits;
}

TEST(BackoffTest, DoublesUpToItsCap) {
  EXPECT_EQ(Waits(0, 8), (std::vector<int64_t>{800, 1600, 3200, 6400, 12800,
                                               15000, 15000, 15000}));
}

TEST(BackoffTest, WaitsUpToTwiceTheDelayAndNeverPastThirtySeconds) {
  EXPECT_EQ(Waits(0.5, 7), (std::vector<int64_t>{1200, 2400, 4800, 9600, 19200,
                                                 22500, 22500}));
  for (const int64_t wait : Waits(0.999999999, 20)) {
    EXPECT_GE(wait, 800);
    EXPECT_LE(wait, 30000);
  }
}

TEST(BackoffTest, StartsOverOnReset) {
  Backoff backoff;
  for (int i = 0; i < 5; ++i) backoff.Next(kNow, 0);
  backoff.Reset();
  EXPECT_EQ(backoff.Next(kNow, 0), milliseconds(800));
}

TEST(BackoffTest, StartsOverAfterTwoMinutesOfPeace) {
  Backoff backoff;
  backoff.Next(kNow, 0);
  EXPECT_EQ(backoff.Next(kNow + minutes(2), 0), milliseconds(1600));
  EXPECT_EQ(backoff.Next(kNow + minutes(5), 0), milliseconds(800));
}

}  // namespace
}  // namespace kem

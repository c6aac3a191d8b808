#include "base/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "testing/fake_clock.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(RealClockTest, WakesAtOnceWhenStopped) {
  bool slept = true;
  std::jthread sleeper([&slept](std::stop_token stop) {
    slept = RealClock().SleepFor(hours(1), std::move(stop));
  });
  sleeper.request_stop();
  sleeper.join();
  EXPECT_FALSE(slept);
}

TEST(RealClockTest, DoesNotSleepWhenStoppedBefore) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(RealClock().SleepFor(hours(1), stop.get_token()));
}

TEST(RealClockTest, SleepsItsTimeWhenNobodyStopsIt) {
  RealClock clock;
  const SteadyTime begin = clock.SteadyNow();
  EXPECT_TRUE(clock.SleepFor(milliseconds(5), {}));
  EXPECT_GE(clock.SteadyNow() - begin, milliseconds(5));
  EXPECT_TRUE(clock.SleepFor(milliseconds(0), {}));
}

TEST(RealClockTest, TellsTheTimeOfTheMachine) {
  const auto before = std::chrono::system_clock::now();
  const WallTime now = RealClock().WallNow();
  EXPECT_GE(now + std::chrono::microseconds(1), before);
  EXPECT_LE(now, std::chrono::system_clock::now());
}

TEST(FakeClockTest, MovesOnlyWhenToldTo) {
  FakeClock clock;
  const SteadyTime steady = clock.SteadyNow();
  const WallTime wall = clock.WallNow();
  EXPECT_TRUE(clock.SleepFor(milliseconds(800), {}));
  EXPECT_EQ(clock.SteadyNow() - steady, milliseconds(800));
  EXPECT_EQ(clock.WallNow() - wall, milliseconds(800));
  ASSERT_EQ(clock.sleeps.size(), 1U);
  EXPECT_EQ(clock.sleeps[0], milliseconds(800));
}

}  // namespace
}  // namespace kem

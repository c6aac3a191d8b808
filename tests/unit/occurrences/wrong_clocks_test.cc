// Writers whose clocks are wrong: they must not change how other writers'
// Events count, and their own Events count no occurrence twice.

#include "unit/occurrences/tracker_fixture.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

// Tombstones are evicted at once.
class WrongClocksTest : public TrackerTest {
 protected:
  WrongClocksTest()
      : TrackerTest({.min_age = hours(24), .min_keys = 0, .max_keys = 0}) {
    Baseline({}, kNow - 7200 - 3600);
  }

  static constexpr int kNow = 10'000'000;
  static constexpr int kNever = 0;  // 1970
  static constexpr int kFuture = 2'000'000'000;
};

TEST_F(WrongClocksTest, AnEvictedEventOfTheFutureDoesNotStopOthers) {
  EXPECT_EQ(Observe({.first = kFuture, .last = kFuture}), 1U);
  Deleted({.first = kFuture, .last = kFuture});
  EXPECT_EQ(tracker.tombstones(), 0U);
  EXPECT_EQ(tracker.horizon(), At(kNow + 60) + microseconds(1));
  // Not its identity time alone either.
  EXPECT_EQ(Observe({.first = kNow, .last = kFuture}), 1U);
  Deleted({.first = kNow, .last = kFuture});
  EXPECT_EQ(tracker.horizon(), At(kNow + 60) + microseconds(1));
  wall += minutes(2);
  EXPECT_EQ(Observe({.name = "other",
                     .first = kNow + 61,
                     .last = kNow + 120,
                     .count = 5}),
            5U);
}

TEST_F(WrongClocksTest, AWriterOfTheFutureCountsNothingTwice) {
  EXPECT_EQ(Observe({.first = kFuture, .last = kFuture}), 1U);
  EXPECT_EQ(Observe({.first = kFuture, .last = kFuture, .count = 7}), 6U);
  Deleted({.first = kFuture, .last = kFuture});
  wall += hours(3);
  // It was forgotten, so of its 9 occurrences one is certain to be new.
  EXPECT_EQ(
      Observe({.uid = 'b', .first = kFuture, .last = kFuture, .count = 9}), 1U);
  EXPECT_EQ(
      Observe({.uid = 'b', .first = kFuture, .last = kFuture, .count = 12}),
      3U);
}

TEST_F(WrongClocksTest, AWriterTwoHoursAhead) {
  const int ahead = kNow + 7200;
  EXPECT_EQ(Observe({.first = ahead, .last = ahead}), 1U);
  EXPECT_EQ(Observe({.first = ahead, .last = ahead + 60, .count = 4}), 3U);
  // Its recorder restarts its count.
  EXPECT_EQ(Observe({.first = ahead, .last = ahead + 90, .count = 1}), 1U);
  EXPECT_EQ(Observe({.first = ahead, .last = ahead + 90, .count = 1}), 0U);
  // Unknown so far, and with a beginning that proves nothing.
  EXPECT_EQ(Observe({.name = "y", .first = ahead, .last = ahead, .count = 3}),
            1U);
}

TEST_F(WrongClocksTest, AWriterTwoHoursBehind) {
  const int behind = kNow - 7200;
  EXPECT_EQ(Observe({.first = behind, .last = behind, .count = 3}), 3U);
  EXPECT_EQ(Observe({.first = behind, .last = behind + 60, .count = 5}), 2U);
  Deleted({.first = behind, .last = behind + 60});
  EXPECT_EQ(tracker.horizon(), At(behind + 60) + microseconds(1));
  EXPECT_EQ(
      Observe({.uid = 'b', .first = behind, .last = behind + 70, .count = 6}),
      1U);
}

TEST_F(WrongClocksTest, AWriterOf1970) {
  EXPECT_EQ(Observe({.first = kNever, .last = kNever}), 1U);
  EXPECT_EQ(Observe({.first = kNever, .last = kNever, .count = 6}), 5U);
  const WallTime horizon = tracker.horizon();
  Deleted({.first = kNever, .last = kNever});
  EXPECT_EQ(tracker.horizon(), horizon);
  EXPECT_EQ(Observe({.uid = 'b', .first = kNever, .last = kNever, .count = 8}),
            1U);
}

// A minute of difference between two clocks is usual.
TEST_F(WrongClocksTest, AMinuteAheadIsNotTheFuture) {
  EXPECT_EQ(Observe({.first = kNow + 60, .last = kNow + 60, .count = 4}), 4U);
  EXPECT_EQ(
      Observe({.name = "y", .first = kNow + 61, .last = kNow + 61, .count = 4}),
      1U);
}

TEST_F(WrongClocksTest, AListRepairsWhatAServersClockDid) {
  EXPECT_EQ(Baseline({}, kFuture), 0U);
  EXPECT_EQ(tracker.horizon(), At(kNow + 60));
  wall = At(kFuture);
  Baseline({}, kFuture);
  EXPECT_EQ(tracker.horizon(), At(kFuture));
  wall = At(kNow);
  List({});
  EXPECT_EQ(tracker.horizon(), At(kNow + 60));
}

}  // namespace
}  // namespace kem

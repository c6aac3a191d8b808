#include "occurrences/event_tracker.h"

#include <gmock/gmock.h>

#include "unit/occurrences/tracker_fixture.h"

namespace kem {
namespace {

class EventTrackerTest : public TrackerTest {};

TEST_F(EventTrackerTest, ReplayCountsNothingAndChangesNothing) {
  Baseline({});
  EXPECT_EQ(Observe({.version = 101, .count = 3}), 3U);
  EXPECT_EQ(Observe({.version = 101, .count = 9}), 0U);
  EXPECT_EQ(Observe({.version = 99, .count = 9}), 0U);
  EXPECT_EQ(Observe({.version = 102, .count = 4}), 1U);
}

TEST_F(EventTrackerTest, ReplayedDeletionDoesNotBuryWhatCameBack) {
  Baseline({});
  Observe({.version = 101, .count = 1});
  Deleted({.version = 102});
  EXPECT_EQ(Observe({.uid = 'b', .version = 110, .count = 2}), 1U);
  Deleted({.version = 102});
  EXPECT_EQ(tracker.live(), 1U);
  EXPECT_EQ(tracker.tombstones(), 0U);
}

TEST_F(EventTrackerTest, ReplayAfterDeletionIsNotACreation) {
  Baseline({});
  Observe({.version = 101, .count = 1});
  Deleted({.version = 105});
  EXPECT_EQ(Observe({.version = 103, .count = 2}), 0U);
  EXPECT_EQ(tracker.live(), 0U);
}

TEST_F(EventTrackerTest, RelistDiffsAgainstWhatIsKnown) {
  Baseline({{.name = "x", .first = 50, .count = 5}});
  EXPECT_EQ(Observe({.name = "y"}), 1U);
  EXPECT_EQ(Observe({.name = "z", .count = 2}), 2U);
  // x +4; y is gone; z is written again, +3; w began after the horizon, 3; v
  // before it, 1.
  EXPECT_EQ(List({{.name = "x", .first = 50, .last = 300, .count = 9},
                  {.name = "z", .uid = 'b', .last = 300, .count = 5},
                  {.name = "w", .uid = 'c', .first = 250, .count = 3},
                  {.name = "v", .uid = 'd', .first = 40, .count = 40}}),
            4U + 3U + 3U + 1U);
  EXPECT_EQ(gone, 1);
  EXPECT_EQ(tracker.live(), 4U);
  EXPECT_EQ(tracker.tombstones(), 1U);
}

TEST_F(EventTrackerTest, ReportsWhatMayBeMore) {
  Baseline({{.name = "b", .first = 50, .count = 5}});
  const auto observe = [this](const Frame& frame) {
    return tracker.Observe(See(frame), Now());
  };
  // Unknown, and began before the horizon.
  Change change = observe({.name = "x", .first = 50, .count = 5});
  EXPECT_EQ(change.delta, 1U);
  EXPECT_TRUE(change.at_least);
  EXPECT_FALSE(observe({.name = "x", .first = 50, .count = 7}).at_least);
  EXPECT_FALSE(observe({.name = "y", .first = 50}).at_least);
  EXPECT_FALSE(observe({.name = "z", .first = 150, .count = 5}).at_least);
  EXPECT_FALSE(observe({.name = "b", .first = 50, .count = 9}).at_least);
  // A writer that counts again may have counted to 3 since.
  change = observe({.name = "b", .first = 50, .last = 200, .count = 3});
  EXPECT_EQ(change.delta, 1U);
  EXPECT_TRUE(change.at_least);
  EXPECT_FALSE(
      observe({.name = "b", .first = 50, .last = 210, .count = 1}).at_least);
  // Not of a baseline.
  std::deque<Sighting> list = {See({.name = "w", .first = 50, .count = 5})};
  tracker.Replace(
      list, true, At(300), Now(),
      [&](const Sighting&, const Change& c) { change = c; }, [](SeriesIds) {});
  EXPECT_EQ(change.delta, 0U);
  EXPECT_FALSE(change.at_least);
}

TEST_F(EventTrackerTest, UnchangedItemsOfARelistStay) {
  Baseline({{.name = "x", .version = 90, .count = 5}});
  EXPECT_EQ(List({{.name = "x", .version = 90, .count = 5}}), 0U);
  EXPECT_EQ(gone, 0);
  EXPECT_EQ(tracker.live(), 1U);
}

TEST_F(EventTrackerTest, ASecondSightOfTheSameVersionMayShowItElsewhere) {
  Baseline({{.name = "x", .version = 90, .count = 5}});
  Sighting sighting = See({.name = "x", .version = 90, .count = 5});
  sighting.series = {};
  Change change = tracker.Observe(sighting, Now());
  EXPECT_TRUE(change.replay);
  EXPECT_TRUE(change.shown);
  EXPECT_EQ(change.delta, 0U);
  EXPECT_EQ(change.left.tuple, 7U);
  sighting.series = {8, 9};
  tracker.Replace(
      {sighting}, false, At(100), Now(),
      [&](const Sighting&, const Change& c) { change = c; },
      [&](SeriesIds) { ++gone; });
  EXPECT_TRUE(change.shown);
  EXPECT_EQ(change.left, SeriesIds());
  EXPECT_EQ(tracker.Remove(See({.name = "x"}), Now()).left, (SeriesIds{8, 9}));
}

TEST_F(EventTrackerTest, AnOlderSightShowsNothingElsewhere) {
  Baseline({{.name = "x", .version = 90, .count = 5}});
  Sighting sighting = See({.name = "x", .version = 89, .count = 4});
  sighting.series = {};
  EXPECT_FALSE(tracker.Observe(sighting, Now()).shown);
  Deleted({.name = "x", .version = 91});
  sighting.resource_version = 91;
  EXPECT_FALSE(tracker.Observe(sighting, Now()).shown);
}

TEST_F(EventTrackerTest, WhatWasNotWatchedUntilNowCountsNothing) {
  Baseline({});
  Observe({.name = "x", .version = 101, .count = 2});
  Deleted({.name = "x", .version = 102});
  // x continued and y began while excluded; both count from now on.
  std::deque<Sighting> list = {See({.name = "x", .version = 110, .count = 6}),
                               See({.name = "y", .version = 111, .count = 3}),
                               See({.name = "z", .version = 112, .count = 4})};
  list[0].unwatched = list[1].unwatched = true;
  uint32_t total = 0;
  tracker.Replace(
      list, false, At(100), Now(),
      [&](const Sighting&, const Change& change) { total += change.delta; },
      [&](SeriesIds) { ++gone; });
  EXPECT_EQ(total, 4U);
  EXPECT_EQ(Observe({.name = "x", .version = 120, .count = 7}), 1U);
  EXPECT_EQ(Observe({.name = "y", .version = 121, .count = 5}), 2U);
}

TEST_F(EventTrackerTest, NewEpochIsABaselineWithLowerVersions) {
  Baseline({{.name = "x", .version = 900, .first = 50, .count = 5}});
  EXPECT_EQ(Baseline({{.name = "x", .version = 400, .first = 50, .count = 2},
                      {.name = "q", .version = 450, .first = 60}},
                     200),
            0U);
  EXPECT_EQ(
      Observe(
          {.name = "x", .version = 501, .first = 50, .last = 210, .count = 3}),
      1U);
}

TEST_F(EventTrackerTest, WhatTheRestoredEtcdForgotIsNotCountedAgain) {
  Baseline({});
  EXPECT_EQ(Observe({.name = "x", .version = 900, .first = 150, .count = 5}),
            5U);
  Baseline({}, 200);
  // Its recorder patches it, gets 404 and creates it with the count so far.
  EXPECT_EQ(Observe({.name = "x",
                     .uid = 'b',
                     .version = 410,
                     .first = 150,
                     .last = 220,
                     .count = 6}),
            1U);
}

TEST_F(EventTrackerTest, DeletionOfAnUnknownEventIsRemembered) {
  Baseline({});
  Deleted({.first = 150, .count = 40});
  EXPECT_EQ(tracker.live(), 0U);
  EXPECT_EQ(Observe({.uid = 'b', .first = 150, .last = 170, .count = 41}), 1U);
}

TEST_F(EventTrackerTest, ReturnsTheSeriesAnEventLeft) {
  Baseline({});
  Sighting sighting = See({});
  sighting.series = {1, 2};
  EXPECT_EQ(tracker.Observe(sighting, Now()).left, SeriesIds());
  sighting = See({.count = 2});
  sighting.series = {3, 4};
  EXPECT_EQ(tracker.Observe(sighting, Now()).left, (SeriesIds{1, 2}));
  EXPECT_EQ(tracker.Remove(See({}), Now()).left, (SeriesIds{3, 4}));
}

TEST_F(EventTrackerTest, GreatestCountFits) {
  Baseline({});
  EXPECT_EQ(Observe({.count = 2147483647U}), 2147483647U);
  EXPECT_EQ(Observe({.count = 2147483647U}), 0U);
}

class TombstoneTest : public TrackerTest {
 protected:
  TombstoneTest()
      : TrackerTest({.min_age = std::chrono::hours(24),
                     .min_keys = 10,
                     .max_keys = 20}) {
    Baseline({});
  }

  void LiveAndDie(int first, int number) {
    for (int i = first; i < first + number; ++i) {
      Observe({.name = std::to_string(i), .first = 150 + i, .last = 150 + i});
      Deleted({.name = std::to_string(i), .first = 150 + i, .last = 150 + i});
    }
  }
};

TEST_F(TombstoneTest, FewAreKeptHoweverOld) {
  LiveAndDie(0, 10);
  now += std::chrono::hours(1000);
  Observe({.name = "other"});
  EXPECT_EQ(tracker.tombstones(), 10U);
}

TEST_F(TombstoneTest, YoungAreKeptThoughMany) {
  LiveAndDie(0, 20);
  now += std::chrono::hours(23);
  Observe({.name = "other"});
  EXPECT_EQ(tracker.tombstones(), 20U);
}

TEST_F(TombstoneTest, OldGoWhenThereAreMany) {
  LiveAndDie(0, 20);
  now += std::chrono::hours(25);
  LiveAndDie(20, 1);
  EXPECT_EQ(tracker.tombstones(), 10U);
}

TEST_F(TombstoneTest, MostAreNeverExceeded) {
  LiveAndDie(0, 30);
  EXPECT_EQ(tracker.tombstones(), 20U);
}

TEST_F(TombstoneTest, EvictionRaisesTheHorizonSoThatNothingCountsTwice) {
  LiveAndDie(0, 21);
  EXPECT_EQ(tracker.horizon(), At(150) + std::chrono::microseconds(1));
  // Evicted 0 began at 150, now before the horizon: it counts 1.
  LiveAndDie(30, 5);
  EXPECT_GT(tracker.horizon(), At(150));
  EXPECT_EQ(
      Observe({.name = "0", .uid = 'z', .first = 150, .last = 190, .count = 2}),
      1U);
}

// Most Events occur once, so their last time is the first.
TEST_F(TombstoneTest, NoEvictedEventCountsTwice) {
  uint32_t counted = 0;
  for (int i = 0; i < 900; ++i) {
    const std::string name = std::to_string(i);
    counted += Observe({.name = name, .first = 150, .last = 150});
    Deleted({.name = name, .first = 150, .last = 150});
  }
  for (int i = 0; i < 900; ++i) {
    counted += Observe({.name = std::to_string(i),
                        .uid = 'z',
                        .first = 150,
                        .last = 160,
                        .count = 2});
  }
  EXPECT_EQ(counted, 1800U);
}

TEST_F(TombstoneTest, OthersOfTheSecondOfAnEvictedEventCountAtLeastOne) {
  LiveAndDie(0, 21);
  EXPECT_EQ(Observe({.name = "same", .first = 150, .last = 170, .count = 5}),
            1U);
  EXPECT_EQ(Observe({.name = "next", .first = 151, .last = 170, .count = 5}),
            5U);
}

TEST_F(TombstoneTest, AnEventThatBeganAfterItOccurredNeverCountsTwice) {
  Observe({.name = "odd", .first = 180, .last = 150});
  Deleted({.name = "odd", .first = 180, .last = 150});
  LiveAndDie(0, 20);
  EXPECT_EQ(
      Observe(
          {.name = "odd", .uid = 'z', .first = 180, .last = 151, .count = 2}),
      1U);
}

TEST_F(TombstoneTest, SlotsSurviveManyEvictions) {
  for (int round = 0; round < 200; ++round) LiveAndDie(round * 100, 100);
  EXPECT_EQ(tracker.tombstones(), 20U);
  EXPECT_EQ(tracker.live(), 0U);
  for (int i = 19980; i < 20000; ++i) {
    EXPECT_EQ(Observe({.name = std::to_string(i),
                       .uid = 'b',
                       .first = 150 + i,
                       .last = 150 + i,
                       .count = 2}),
              1U)
        << i;
  }
  EXPECT_EQ(tracker.live(), 20U);
  EXPECT_EQ(tracker.tombstones(), 0U);
}

TEST(TombstoneLimitsTest, DefaultsKeepADayAndAHundredThousand) {
  const EventTracker::Limits limits;
  EXPECT_GE(limits.min_age, std::chrono::hours(24));
  EXPECT_GE(limits.min_keys, 100'000U);
}

}  // namespace
}  // namespace kem

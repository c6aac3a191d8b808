#include <gmock/gmock.h>

#include "unit/occurrences/tracker_fixture.h"

namespace kem {
namespace {

using ::testing::ElementsAre;

class EventTrackerStateTest : public TrackerTest {
 protected:
  // A restarted tracker with `limits`, with times moved by `shift`.
  bool Restart(const std::string& bytes, std::chrono::seconds shift = {}) {
    live.clear();
    tracker = EventTracker(limits);
    return tracker.Load(bytes, shift, [this](SeriesIds ids) {
      live.push_back(ids.tuple);
      return ids.tuple != 666;
    });
  }
  std::string Saved() const {
    std::string bytes;
    tracker.Save(bytes);
    return bytes;
  }

  EventTracker::Limits limits;
  std::vector<uint32_t> live;
};

TEST_F(EventTrackerStateTest, GoesOnAsIfNothingHadBeen) {
  Baseline({{.name = "x", .first = 50, .count = 5}});
  Observe({.name = "y", .version = 201, .count = 2});
  Observe({.name = "z", .version = 202, .count = 3});
  Deleted({.name = "z", .version = 203});
  ASSERT_TRUE(Restart(Saved()));
  EXPECT_EQ(tracker.live(), 2U);
  EXPECT_EQ(tracker.tombstones(), 1U);
  EXPECT_EQ(tracker.horizon(), At(100));
  EXPECT_THAT(live, ElementsAre(7, 7));
  EXPECT_EQ(Observe({.name = "y", .version = 201, .count = 2}), 0U);
  EXPECT_EQ(Observe({.name = "y", .version = 204, .count = 4}), 2U);
  EXPECT_EQ(Observe({.name = "z", .uid = 'b', .version = 205, .count = 4}), 1U);
  EXPECT_EQ(Observe({.name = "old", .first = 50, .count = 40}), 1U);
}

// Saved with x at 5 and z at 2. In 12 minutes of downtime x goes to 9, y
// appears with 3 and z is written again with 4. Then the list after a 410.
TEST_F(EventTrackerStateTest, CatchesUpByAListAfterALongTimeDown) {
  Baseline({{.name = "x", .first = 50, .count = 5}});
  Observe({.name = "z", .count = 2});
  ASSERT_TRUE(Restart(Saved()));
  EXPECT_EQ(List({{.name = "x", .first = 50, .last = 300, .count = 9}}), 4U);
  EXPECT_EQ(List({{.name = "x", .first = 50, .last = 300, .count = 9},
                  {.name = "y", .first = 250, .count = 3},
                  {.name = "z", .uid = 'b', .last = 300, .count = 4}}),
            3U + 2U);
}

TEST_F(EventTrackerStateTest, TombstonesKeepTheirOrderAndAge) {
  limits = {std::chrono::hours(1), 1, 100};
  tracker = EventTracker(limits);
  Baseline({});
  for (const char* name : {"a", "b", "c"}) {
    Observe({.name = name, .first = 140});
    Deleted({.name = name, .first = 140});
    now += std::chrono::minutes(20);
  }
  // This machine booted 5 minutes ago, after a was deleted. 10 minutes passed.
  const SteadyTime later{std::chrono::minutes(5)};
  const auto shift = std::chrono::duration_cast<std::chrono::seconds>(
      later - now - std::chrono::minutes(10));
  ASSERT_TRUE(Restart(Saved(), shift));
  now = later;
  EXPECT_EQ(tracker.tombstones(), 3U);
  // a is 70 minutes old, b 50.
  Observe({.name = "d"});
  Deleted({.name = "d"});
  EXPECT_EQ(tracker.tombstones(), 3U);
  EXPECT_EQ(Observe({.name = "b", .first = 140, .count = 5}), 4U);
  EXPECT_EQ(Observe({.name = "a", .first = 140, .count = 5}), 1U);  // forgotten
}

TEST_F(EventTrackerStateTest, RefusesWhatSaveDidNotWrite) {
  Observe({.name = "x"});
  Observe({.name = "y"});
  Deleted({.name = "y"});
  const std::string whole = Saved();
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Restart(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(Restart(whole + '\0'));
  std::string twice = whole;
  // Two records with one key.
  twice.replace(16 + 60, 16, twice.substr(16, 16));
  EXPECT_FALSE(Restart(twice));
}

TEST_F(EventTrackerStateTest, RefusesSeriesThatAreNot) {
  Sighting sighting = See({});
  sighting.series = {666, SeriesIds::kNone};
  tracker.Observe(sighting, Now());
  EXPECT_FALSE(Restart(Saved()));
}

}  // namespace
}  // namespace kem

#include <gmock/gmock.h>

#include <random>

#include "testing/whole_save.h"
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
    const bool loaded = LoadWhole(tracker, bytes, [this](SeriesIds ids) {
      live.push_back(ids.tuple);
      return ids.tuple != 666;
    });
    tracker.Shift(shift);
    return loaded;
  }
  std::string Saved() { return SaveWhole(tracker); }

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
  // Two records with one key. Before the first are the number of texts, the
  // head of 32 bytes behind its length, the length of the piece, and a kind.
  constexpr size_t kFirst = 4 + 4 + 32 + 4 + 1;
  constexpr size_t kRecord = 1 + 16 + 8 + 8 + 8 + 8 + 4 + 8;
  std::string twice = whole;
  ASSERT_EQ(twice.size(), kFirst - 1 + 2 * kRecord);
  twice.replace(kFirst + kRecord, 16, twice.substr(kFirst, 16));
  EXPECT_FALSE(Restart(twice));
}

// Any byte of the lists of tombstones and of free records.
TEST_F(EventTrackerStateTest, DamagedListsAreRefusedOrHarmless) {
  limits = {std::chrono::hours(1), 1, 2};
  tracker = EventTracker(limits);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
    Observe({.name = name});
    Deleted({.name = name});
  }
  Observe({.name = "g"});
  const std::string whole = Saved();
  ASSERT_TRUE(Restart(whole));
  EXPECT_EQ(Saved(), whole);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      if (!Restart(damaged)) continue;
      for (const char* name : {"a", "f", "h", "i", "j"}) {
        Observe({.name = name, .version = 900});
        Deleted({.name = name, .version = 901});
      }
    }
  }
}

// Pieces of a few records, with changes between them: what is loaded is what
// was there at the first one.
TEST_F(EventTrackerStateTest, ASaveInPiecesIsOfOneMoment) {
  limits = {std::chrono::hours(1), 5, 20};
  tracker = EventTracker(limits);
  std::mt19937 random(7);
  uint64_t last = 100;
  const auto change = [&] {
    const std::string name(1, static_cast<char>('A' + random() % 50));
    ++last;
    if (random() % 3 == 0) return Deleted({.name = name, .version = last});
    Observe({.name = name,
             .version = last,
             .count = static_cast<uint32_t>(1 + random() % 9)});
  };
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 40; ++i) change();
    if (round % 10 == 9) List({{.name = "A", .version = ++last}});
    const std::string then = Saved();
    std::vector<std::string> texts(1);
    ByteWriter head(texts[0]);
    tracker.BeginSave(head);
    for (bool more = true; more;) {
      for (auto i = random() % 20; i > 0; --i) change();
      more = tracker.SavePiece(1 + random() % 400, texts.emplace_back());
    }
    EXPECT_FALSE(tracker.save_gave_up());
    Leftovers left;
    tracker.EndSave(left);
    EventTracker loaded(limits);
    ASSERT_TRUE(
        LoadWhole(loaded, Joined(texts), [](SeriesIds) { return true; }));
    EXPECT_EQ(SaveWhole(loaded), then) << round;
  }
}

TEST_F(EventTrackerStateTest, RefusesSeriesThatAreNot) {
  Sighting sighting = See({});
  sighting.series = {666, SeriesIds::kNone};
  tracker.Observe(sighting, Now());
  EXPECT_FALSE(Restart(Saved()));
}

}  // namespace
}  // namespace kem

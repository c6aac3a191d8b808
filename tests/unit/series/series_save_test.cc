// Saving and loading a series table, and invalid bytes.
#include <gmock/gmock.h>

#include <random>
#include <vector>

#include "series_fixture.h"
#include "testing/whole_save.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::HasSubstr;

class SeriesSaveTest : public SeriesTest {
 protected:
  // Every kind of row: live, idle, freed, preset, overflow, not shown yet.
  SeriesSaveTest() {
    Happen(full, Pod("gone"), 1, 5, now);
    full.Preset(Pod("catalogue"), now);
    for (int i = 0; i < 20; ++i) {
      const std::string name = "n" + std::to_string(i);
      const SeriesIds ids =
          Happen(full, Node(name), 1 + static_cast<uint32_t>(i), i, now);
      if (i % 3 == 0) full.Join(ids);
    }
    Wait(hours(24));
    full.Expire(now.steady);
    Happen(full, Pod("some \"reason\"\n"), 17, 1'700'000'123, now);
    full.Intern(Pod("unborn"));
    for (int i = 0; i < 30; ++i) {
      const std::string name = "m" + std::to_string(i);
      Happen(full, Node(name), 1, 77, now);
    }
    saved = SaveWhole(full, 500);
  }

  const SeriesOptions options{seconds(75), 30, hours(24)};
  SeriesTable full{options, hash};
  SeriesTable other{options, hash};
  std::string saved;
};

TEST_F(SeriesSaveTest, WhatIsLoadedIsWhatWasSaved) {
  ASSERT_TRUE(LoadWhole(other, saved));
  EXPECT_THAT(Render(full), HasSubstr("_overflow"));
  EXPECT_EQ(Render(other), Render(full));
  EXPECT_EQ(other.Counts().shown, full.Counts().shown);
  EXPECT_EQ(other.Counts().overflowed, full.Counts().overflowed);
  EXPECT_EQ(SaveWhole(other, 500), saved);
}

TEST_F(SeriesSaveTest, BothGoOnAlike) {
  ASSERT_TRUE(LoadWhole(other, saved));
  for (SeriesTable* where : {&full, &other}) {
    where->Leave(where->Intern(Node("n3")));
    Happen(*where, Node("n6"), 5, 80, now);
    Moment later = now;
    later.steady += hours(25);
    where->Expire(later.steady);
    for (int i = 0; i < 10; ++i) {
      Happen(*where, Pod("new" + std::to_string(i)), 2, 90, later);
    }
  }
  EXPECT_EQ(SaveWhole(full), SaveWhole(other));
  EXPECT_EQ(full.Intern(Pod("new7")), other.Intern(Pod("new7")));
}

TEST_F(SeriesSaveTest, TheSteadyClockMayHaveRestarted) {
  ASSERT_TRUE(LoadWhole(other, saved));
  other.Shift(-hours(20));
  now.steady -= hours(20);
  // Still exposed as 0, because it is new.
  EXPECT_THAT(Render(other), HasSubstr("\"some \\\"reason\\\"\\n\",type="
                                       "\"Warning\",reporting_component="
                                       "\"kubelet\"} 0\n"));
  Wait(seconds(75));
  EXPECT_THAT(Render(other), HasSubstr("\"kubelet\"} 17\n"));
}

TEST_F(SeriesSaveTest, HasItsNumbers) {
  const SeriesIds node = full.Intern(Node("n3"));
  EXPECT_FALSE(other.Has(node));
  ASSERT_TRUE(LoadWhole(other, saved));
  EXPECT_TRUE(other.Has(node));
  EXPECT_FALSE(other.Has({}));
  EXPECT_FALSE(other.Has({node.tuple, 1000}));
  EXPECT_FALSE(other.Has({1000, SeriesIds::kNone}));
}

TEST_F(SeriesSaveTest, ALowerLimitHoldsForNewSeriesOnly) {
  SeriesTable lower({seconds(0), 2, hours(24)}, hash);
  ASSERT_TRUE(LoadWhole(lower, saved));
  EXPECT_EQ(lower.Counts().shown, full.Counts().shown);
  Happen(lower, Pod("one more"), 1, 5, now);
  EXPECT_GT(lower.Counts().overflowed[0], full.Counts().overflowed[0]);
}

TEST_F(SeriesSaveTest, AnyTruncationIsRefused) {
  for (size_t size = 0; size < saved.size(); ++size) {
    SeriesTable cut(options, hash);
    ASSERT_FALSE(LoadWhole(cut, std::string_view(saved).substr(0, size)));
  }
  SeriesTable longer(options, hash);
  EXPECT_FALSE(LoadWhole(longer, saved + "x"));
}

TEST_F(SeriesSaveTest, LaterOptionsHoldForNewSeriesOnly) {
  const SeriesCounts before = full.Counts();
  full.SetOptions({seconds(0), 1, hours(24)});
  EXPECT_EQ(full.Counts().shown, before.shown);
  Happen(full, Pod("one more"), 1, 5, now);
  EXPECT_EQ(full.Counts().overflowed[0], before.overflowed[0] + 1);
}

// Pieces of a few rows, with changes between them: what is loaded is what was
// there at the first one.
TEST_F(SeriesSaveTest, ASaveInPiecesIsOfOneMoment) {
  std::mt19937 random(7);
  const auto change = [&] {
    const std::string name = "r" + std::to_string(random() % 40);
    now.steady += std::chrono::minutes(random() % 60);
    if (random() % 9 == 0) return full.Expire(now.steady);
    if (random() % 9 == 0) return full.Preset(Pod(name), now);
    const SeriesIds ids =
        Happen(full, random() % 2 ? Pod(name) : Node(name), 1, 5, now);
    if (random() % 5 == 0) {
      full.Join(ids);
      if (random() % 3) full.Leave(ids);
    }
  };
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 40; ++i) change();
    const std::string then = SaveWhole(full);
    std::vector<std::string> texts(1);
    ByteWriter head(texts[0]);
    full.BeginSave(head);
    for (bool more = true; more;) {
      for (auto i = random() % 9; i > 0; --i) change();
      more = full.SavePiece(10 + random() % 900, texts.emplace_back());
    }
    EXPECT_FALSE(full.save_gave_up());
    Leftovers left;
    full.EndSave(left);
    SeriesTable loaded(options, hash);
    ASSERT_TRUE(LoadWhole(loaded, Joined(texts)));
    EXPECT_EQ(SaveWhole(loaded), then) << round;
  }
}

// Most damage cannot be detected, but none may break the table.
TEST_F(SeriesSaveTest, AnyDamagedByteIsRefusedOrHarmless) {
  for (size_t at = 0; at < saved.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = saved;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      SeriesTable harmed(options, hash);
      if (!LoadWhole(harmed, damaged)) continue;
      harmed.Shift(hours(1));
      Happen(harmed, Pod(), 1, 5, now);
      harmed.Expire(now.steady);
      EXPECT_NE(Render(harmed), "");
    }
  }
}

// After a hostile shift it can still be saved and loaded.
TEST_F(SeriesSaveTest, AShiftEndsAtTimesThatCanBeSaved) {
  full.Shift(SteadyTime::max().time_since_epoch());
  full.Shift(SteadyTime::max().time_since_epoch());
  ASSERT_TRUE(LoadWhole(other, SaveWhole(full)));
  full.Shift(SteadyTime::min().time_since_epoch());
  full.Shift(SteadyTime::min().time_since_epoch());
  SeriesTable earlier(options, hash);
  ASSERT_TRUE(LoadWhole(earlier, SaveWhole(full)));
}

}  // namespace
}  // namespace kem

// Saving and loading a series table, and invalid bytes.
#include <gmock/gmock.h>

#include "series_fixture.h"

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
    full.Save(saved);
  }

  const SeriesOptions options{seconds(75), 30, hours(24)};
  SeriesTable full{options, hash};
  SeriesTable other{options, hash};
  std::string saved;
};

TEST_F(SeriesSaveTest, WhatIsLoadedIsWhatWasSaved) {
  ASSERT_TRUE(other.Load(saved, seconds(0)));
  EXPECT_THAT(Render(full), HasSubstr("_overflow"));
  EXPECT_EQ(Render(other), Render(full));
  EXPECT_EQ(other.Counts().shown, full.Counts().shown);
  EXPECT_EQ(other.Counts().overflowed, full.Counts().overflowed);
  std::string again;
  other.Save(again);
  EXPECT_EQ(again, saved);
}

TEST_F(SeriesSaveTest, BothGoOnAlike) {
  ASSERT_TRUE(other.Load(saved, seconds(0)));
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
  std::string one;
  full.Save(one);
  std::string two;
  other.Save(two);
  EXPECT_EQ(one, two);
  EXPECT_EQ(full.Intern(Pod("new7")), other.Intern(Pod("new7")));
}

TEST_F(SeriesSaveTest, TheSteadyClockMayHaveRestarted) {
  ASSERT_TRUE(other.Load(saved, -hours(20)));
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
  ASSERT_TRUE(other.Load(saved, seconds(0)));
  EXPECT_TRUE(other.Has(node));
  EXPECT_FALSE(other.Has({}));
  EXPECT_FALSE(other.Has({node.tuple, 1000}));
  EXPECT_FALSE(other.Has({1000, SeriesIds::kNone}));
}

TEST_F(SeriesSaveTest, ALowerLimitHoldsForNewSeriesOnly) {
  SeriesTable lower({seconds(0), 2, hours(24)}, hash);
  ASSERT_TRUE(lower.Load(saved, seconds(0)));
  EXPECT_EQ(lower.Counts().shown, full.Counts().shown);
  Happen(lower, Pod("one more"), 1, 5, now);
  EXPECT_GT(lower.Counts().overflowed[0], full.Counts().overflowed[0]);
}

TEST_F(SeriesSaveTest, AnyTruncationIsRefusedAndLeavesTheTableEmpty) {
  for (size_t size = 0; size < saved.size(); ++size) {
    ASSERT_FALSE(other.Load(std::string_view(saved).substr(0, size), {}));
  }
  EXPECT_FALSE(other.Load(saved + "x", {}));
  EXPECT_EQ(Render(other), "");
  EXPECT_TRUE(other.Load(saved, {}));
}

// Most damage cannot be detected, but none may break the table.
TEST_F(SeriesSaveTest, AnyDamagedByteIsRefusedOrHarmless) {
  for (size_t at = 0; at < saved.size(); ++at) {
    for (const char flip : {'\x01', '\x80', '\xff'}) {
      std::string damaged = saved;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      SeriesTable harmed(options, hash);
      if (!harmed.Load(damaged, hours(1))) continue;
      Happen(harmed, Pod(), 1, 5, now);
      harmed.Expire(now.steady);
      EXPECT_NE(Render(harmed), "");
    }
  }
}

TEST_F(SeriesSaveTest, TimesThatNoClockHasAreRejected) {
  EXPECT_FALSE(other.Load(saved, SteadyTime::max().time_since_epoch()));
  EXPECT_FALSE(other.Load(saved, SteadyTime::min().time_since_epoch()));
}

}  // namespace
}  // namespace kem

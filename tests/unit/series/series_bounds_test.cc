// How many series a table has, and for how long.
#include <gmock/gmock.h>

#include <set>

#include "series_fixture.h"
#include "testing/whole_save.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPodOverflow[] =
    "kube_event_occurrences_total{scope=\"namespaced\",api_group=\"_overflow\","
    "kind=\"_overflow\",object_namespace=\"_overflow\",reason=\"_overflow\","
    "type=\"Warning\",reporting_component=\"_overflow\"} ";

class SeriesCapTest : public SeriesTest {
 protected:
  SeriesTable small{{seconds(0), 3, hours(24)}, hash};
  uint64_t Shown(Family family) const {
    return small.Counts().shown[static_cast<size_t>(family)];
  }
  uint64_t Overflowed(Family family) const {
    return small.Counts().overflowed[static_cast<size_t>(family)];
  }
};

TEST_F(SeriesCapTest, PastItOccurrencesCountInTheOverflowSeries) {
  for (int i = 0; i < 10; ++i) {
    Happen(small, Pod("r" + std::to_string(i)), 5, 100 + i, now);
  }
  const std::string text = Render(small);
  EXPECT_THAT(text, HasSubstr("reason=\"r2\",type=\"Warning\",reporting_"
                              "component=\"kubelet\"} 5\n"));
  EXPECT_THAT(text, Not(HasSubstr("\"r3\"")));
  EXPECT_THAT(text, HasSubstr(std::string(kPodOverflow) + "35\n"));
  EXPECT_THAT(text,
              HasSubstr("kube_event_last_seen_timestamp_seconds{scope="
                        "\"namespaced\",api_group=\"_overflow\",kind=\"_"
                        "overflow\",object_namespace=\"_overflow\",object_name="
                        "\"_overflow\",reason=\"_overflow\",type=\"Warning\","
                        "reporting_component=\"_overflow\"} 109\n"));
  EXPECT_EQ(Shown(Family::kOccurrences), 4U);
  EXPECT_EQ(Overflowed(Family::kOccurrences), 35U);
  EXPECT_EQ(Overflowed(Family::kActive), 35U);
  EXPECT_EQ(Overflowed(Family::kLastSeen), 35U);
  EXPECT_EQ(Overflowed(Family::kObjectOccurrences), 0U);
}

TEST_F(SeriesCapTest, KnownSeriesGoOnCounting) {
  for (int i = 0; i < 10; ++i) {
    Happen(small, Pod("r" + std::to_string(i)), 1, 100, now);
  }
  Happen(small, Pod("r1"), 41, 100, now);
  EXPECT_THAT(Render(small), HasSubstr("} 42\n"));
}

TEST_F(SeriesCapTest, ObjectsOverflowByThemselves) {
  for (int i = 0; i < 5; ++i) {
    Happen(small, Node("n" + std::to_string(i)), 1, 100, now);
  }
  const std::string text = Render(small);
  EXPECT_THAT(text, HasSubstr("kube_event_occurrences_total{scope=\"cluster\","
                              "api_group=\"\",kind=\"Node\",object_namespace="
                              "\"\",reason=\"NodeNotReady\",type=\"Normal\","
                              "reporting_component=\"node-controller\"} 5\n"));
  const std::string labels =
      "scope=\"cluster\",api_group=\"_overflow\",kind=\"_overflow\",object_";
  EXPECT_THAT(text,
              HasSubstr("kube_event_object_occurrences_total{" + labels +
                        "name=\"_overflow\",reason=\"_overflow\",type="
                        "\"Normal\",reporting_component=\"_overflow\"} 2\n"));
  EXPECT_THAT(text,
              HasSubstr("kube_event_last_seen_timestamp_seconds{" + labels +
                        "namespace=\"_overflow\",object_name=\"_overflow\""));
  EXPECT_EQ(Overflowed(Family::kOccurrences), 0U);
  EXPECT_EQ(Overflowed(Family::kObjectOccurrences), 2U);
  EXPECT_EQ(Overflowed(Family::kLastSeen), 2U);
}

// Last-seen shows cluster-scoped objects and the tuples of namespaced ones,
// which fill it together. A row without room in one family is in no family.
TEST_F(SeriesCapTest, ARowNeedsRoomInEachFamilyThatShowsIt) {
  Happen(small, Pod("a"), 1, 100, now);
  Happen(small, Pod("b"), 1, 100, now);
  Happen(small, Node("n1"), 1, 100, now);
  EXPECT_EQ(Shown(Family::kLastSeen), 3U);
  Happen(small, Node("n2"), 1, 100, now);
  EXPECT_EQ(Overflowed(Family::kObjectOccurrences), 1U);
  EXPECT_EQ(Overflowed(Family::kOccurrences), 0U);
}

TEST_F(SeriesCapTest, ScopeAndTypeKeepTheirValues) {
  for (const char* type : {"Normal", "Warning", "other"}) {
    for (int i = 0; i < 4; ++i) {
      const std::string reason = "r" + std::to_string(i);
      SeriesLabels labels = Pod(reason);
      labels.type = type;
      Happen(small, labels, 1, 100, now);
    }
  }
  Happen(small, Node(), 1, 100, now);
  const std::string text = Render(small);
  for (const char* type : {"Normal", "Warning", "other"}) {
    EXPECT_THAT(text, HasSubstr(std::string("reason=\"_overflow\",type=\"") +
                                type + "\""));
  }
  EXPECT_THAT(text, HasSubstr("scope=\"cluster\",api_group=\"_overflow\""));
}

// A writer of Events can use these values.
TEST_F(SeriesCapTest, AnEventThatSaysOverflowSharesTheSeries) {
  SeriesLabels labels = OverflowOf(Pod(), Who::kTuple);
  Happen(small, labels, 1, 100, now);
  for (int i = 0; i < 4; ++i) {
    Happen(small, Pod("r" + std::to_string(i)), 1, 100, now);
  }
  EXPECT_THAT(Render(small), HasSubstr(std::string(kPodOverflow) + "2\n"));
  EXPECT_EQ(Shown(Family::kOccurrences), 4U);
}

TEST_F(SeriesCapTest, ExpiryMakesRoom) {
  for (int i = 0; i < 4; ++i) {
    Happen(small, Pod("r" + std::to_string(i)), 1, 100, now);
  }
  Wait(hours(24));
  small.Expire(now.steady);
  EXPECT_EQ(Shown(Family::kOccurrences), 0U);
  Happen(small, Pod("r3"), 1, 100, now);
  EXPECT_EQ(Overflowed(Family::kOccurrences), 1U);
  EXPECT_THAT(Render(small), Not(HasSubstr("_overflow")));
}

using SeriesExpiryTest = SeriesTest;

TEST_F(SeriesExpiryTest, IdleSeriesGoAwayAfterTheRetention) {
  Happen(Pod(), 1, 100);
  Happen(Node(), 1, 100);
  Wait(hours(23));
  Happen(Node(), 0, 100);
  Wait(hours(1));
  table.Expire(now.steady);
  const std::string text = Render();
  EXPECT_THAT(text, Not(HasSubstr("\"Pod\"")));
  EXPECT_THAT(text, HasSubstr("\"Node\""));
  EXPECT_EQ(Shown(Family::kOccurrences), 1U);
  EXPECT_EQ(Shown(Family::kLastSeen), 1U);
  Wait(hours(24));
  table.Expire(now.steady);
  EXPECT_EQ(Render(), "");
}

TEST_F(SeriesExpiryTest, SeriesOfEventsThatExistStayWithTheirNumbers) {
  const SeriesIds node = Happen(Node(), 3, 100);
  table.Join(node);
  Wait(hours(100));
  table.Expire(now.steady);
  EXPECT_TRUE(table.Has(node));
  EXPECT_EQ(table.Intern(Node()), node);
  table.Leave(node);
  table.Expire(now.steady);
  EXPECT_FALSE(table.Has(node));
  EXPECT_EQ(Render(), "");
}

TEST_F(SeriesExpiryTest, ZeroRetentionKeepsAllButWhatWasNeverRecorded) {
  SeriesTable keeps({seconds(75), 10, seconds(0)}, hash);
  Happen(keeps, Pod(), 1, 100, now);
  const SeriesIds abandoned = keeps.Intern(Pod("other"));
  Wait(hours(10000));
  keeps.Expire(now.steady);
  EXPECT_FALSE(keeps.Has(abandoned));
  EXPECT_THAT(Render(keeps), HasSubstr("\"BackOff\""));
}

TEST_F(SeriesExpiryTest, NumbersAreUsedAgainAndTellNothingOfTheOldSeries) {
  for (int round = 0; round < 10; ++round) {
    std::set<uint32_t> numbers;
    for (int i = 0; i < 300; ++i) {
      const std::string reason =
          "r" + std::to_string(round) + "-" + std::to_string(i);
      bool added = false;
      const SeriesIds ids = table.Intern(Pod(reason), &added);
      EXPECT_TRUE(added);
      EXPECT_LT(ids.tuple, 300U);
      EXPECT_TRUE(numbers.insert(ids.tuple).second);
      table.Record(ids, 7, WallTime(seconds(100 + round)), now);
    }
    Wait(seconds(75));
    const std::string text = Render();
    EXPECT_THAT(text, Not(HasSubstr("\"r" + std::to_string(round - 1) + "-")));
    EXPECT_THAT(text, HasSubstr("\"r" + std::to_string(round) + "-299\""));
    EXPECT_THAT(text, Not(HasSubstr("} 14\n")));
    EXPECT_EQ(Shown(Family::kOccurrences), 300U);
    Wait(hours(24));
    table.Expire(now.steady);
  }
}

TEST_F(SeriesExpiryTest, ASeriesThatComesBackIsHeldAtZeroAgain) {
  Happen(Pod(), 5, 100);
  Wait(hours(24));
  table.Expire(now.steady);
  Happen(Pod(), 2, 100);
  EXPECT_THAT(Render(), HasSubstr("\"kubelet\"} 0\n"));
  Wait(seconds(75));
  EXPECT_THAT(Render(), HasSubstr("\"kubelet\"} 2\n"));
}

TEST_F(SeriesExpiryTest, AScrapeAcrossAnExpiryShowsNothingTwice) {
  // The first rows expire, and the last one returns with a higher number.
  for (int i = 0; i < 9; ++i) Happen(Pod("r" + std::to_string(i)), 1, 100);
  Wait(hours(23));
  for (int i = 5; i < 8; ++i) Happen(Pod("r" + std::to_string(i)), 1, 100);
  Wait(hours(1));
  for (size_t stop = 1; stop < 12; ++stop) {
    SeriesTable copy({seconds(0), 100, hours(24)}, hash);
    ASSERT_TRUE(LoadWhole(copy, SaveWhole(table)));
    SeriesTable::Cursor cursor;
    std::string all;
    for (size_t i = 0; i < stop; ++i) {
      copy.Render(cursor, all.size() + 1, now.steady, all);
    }
    copy.Expire(now.steady);
    for (int i = 0; i < 9; ++i) {
      Happen(copy, Pod("r" + std::to_string(i)), 1, 100, now);
    }
    while (copy.Render(cursor, all.size() + 1, now.steady, all)) {
    }
    std::multiset<std::string> names;
    for (size_t at = 0; at < all.size();) {
      const size_t end = all.find('\n', at);
      names.insert(all.substr(at, all.find("} ", at) - at));
      at = end + 1;
    }
    for (const std::string& name : names) {
      EXPECT_EQ(names.count(name), 1U) << name;
    }
  }
}

TEST_F(SeriesExpiryTest, SameCallsGiveSameNumbers) {
  const auto run = [&](SeriesTable& where) {
    std::vector<uint32_t> numbers;
    Moment at = now;
    for (uint32_t i = 0; i < 2000; ++i) {
      const uint32_t pick = i * 2654435761U >> 22;
      const std::string name = "n" + std::to_string(pick % 97);
      const SeriesIds ids = where.Intern(Node(name));
      numbers.push_back(ids.object);
      where.Record(ids, 1, at.wall, at);
      at.steady += minutes(pick % 60);
      if (i % 7 == 0) where.Expire(at.steady);
    }
    return numbers;
  };
  SeriesTable one({seconds(0), 50, hours(12)}, hash);
  SeriesTable other({seconds(0), 50, hours(12)}, Hasher());
  EXPECT_EQ(run(one), run(other));
}

using SeriesPresetTest = SeriesTest;

TEST_F(SeriesPresetTest, IsShownAtZeroAndOnlyAsATuple) {
  table.Preset(Node(), now);
  const std::string text = Render();
  EXPECT_THAT(text, HasSubstr("reporting_component=\"node-controller\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("object_name=")));
  EXPECT_EQ(Shown(Family::kOccurrences), 1U);
  EXPECT_EQ(Shown(Family::kLastSeen), 0U);
}

TEST_F(SeriesPresetTest, HasNoLastSeenBeforeItHappens) {
  table.Preset(Pod(), now);
  EXPECT_THAT(Render(), Not(HasSubstr("last_seen")));
  Happen(Pod(), 1, 100);
  EXPECT_THAT(Render(), HasSubstr("} 100\n"));
  EXPECT_EQ(Shown(Family::kLastSeen), 1U);
}

TEST_F(SeriesPresetTest, CountsAtOnceWhenItsHoldIsOverAndNeverExpires) {
  table.Preset(Pod(), now);
  Wait(hours(100));
  table.Expire(now.steady);
  bool added = true;
  table.Record(table.Intern(Pod(), &added), 4, WallTime(seconds(9)), now);
  EXPECT_FALSE(added);
  EXPECT_THAT(Render(), HasSubstr("\"kubelet\"} 4\n"));
  Wait(hours(100));
  table.Expire(now.steady);
  EXPECT_THAT(Render(), HasSubstr("\"kubelet\"} 4\n"));
}

TEST_F(SeriesPresetTest, OfAKnownTupleKeepsItsCount) {
  Happen(Pod(), 4, 100);
  table.Preset(Pod(), now);
  Wait(seconds(75));
  EXPECT_THAT(Render(), HasSubstr("\"kubelet\"} 4\n"));
  EXPECT_EQ(Shown(Family::kOccurrences), 1U);
}

TEST_F(SeriesPresetTest, IsLeftOutPastTheCap) {
  SeriesTable small({seconds(0), 1, hours(24)}, hash);
  small.Preset(Pod("a"), now);
  small.Preset(Pod("b"), now);
  EXPECT_THAT(Render(small), HasSubstr("\"a\""));
  EXPECT_THAT(Render(small), Not(HasSubstr("\"b\"")));
  EXPECT_THAT(Render(small), Not(HasSubstr("_overflow")));
}

}  // namespace
}  // namespace kem

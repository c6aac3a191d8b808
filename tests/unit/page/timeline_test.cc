#include "page/timeline.h"

#include <gmock/gmock.h>

#include "page_fixture.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

class TimelineTest : public ::testing::Test {
 protected:
  FoundEvent& Add(std::string reason, std::string type, minutes ago) {
    rows.push_back(
        RowOf(FoundNodeEvent(std::move(reason), std::move(type), ago)));
    return rows.back().event;
  }
  std::string Drawn() {
    std::string out;
    PutTimeline(ByReason(rows), range, out);
    return out;
  }
  TimeRange Range() { return RangeOf(rows, {}, {}, WallTime::min(), kPageNow); }

  std::vector<EventRow> rows;
  TimeRange range{kPageNow - hours(10), kPageNow};
};

TEST_F(TimelineTest, HasALaneForEachReasonAndShapesForTypes) {
  Add("NodeReady", "Normal", minutes(300));
  Add("Rebooted", "Warning", minutes(150));
  EXPECT_THAT(Drawn(),
              HasSubstr("<text class=\"warn\" x=\"4\" y=\"14\">Rebooted, 1"
                        "</text>\n<g class=\"warn\"><title>1 "
                        "occurrence, 2026-11-23 09:30:00 UTC</title>"
                        "<use href=\"#t\" x=\"74.00%\" y=\"28\"/></g>\n"));
  EXPECT_THAT(Drawn(), HasSubstr("<text x=\"4\" y=\"54\">NodeReady, 1</text>\n"
                                 "<g><title>1 occurrence, "
                                 "2026-11-23 07:00:00 UTC</title>"
                                 "<use href=\"#o\" x=\"50.00%\" y=\"68\"/>"));
  EXPECT_THAT(Drawn(), HasSubstr("width=\"100%\" height=\"102\""));
}

TEST_F(TimelineTest, JoinsWhatIsCloseAndShowsHowLongAnEventLasts) {
  FoundEvent& event = Add("Rebooted", "Warning", minutes(60));
  event.first_seen = kPageNow - hours(5);
  event.jumps = {{kPageNow - minutes(61), 2}, {kPageNow - minutes(60), 3}};
  EXPECT_THAT(Drawn(), HasSubstr("<rect class=\"span\" x=\"50.00%\" y=\"27\" "
                                 "width=\"38.40%\" height=\"2\"/>"));
  EXPECT_THAT(Drawn(), HasSubstr("<title>5 occurrences, 2026-11-23 "
                                 "10:59:00 to 2026-11-23 11:00:00 UTC"));
}

TEST_F(TimelineTest, LeavesOutWhatIsEarlierAndKeepsWhatIsLater) {
  FoundEvent& event = Add("Rebooted", "Warning", minutes(0));
  event.first_seen = kPageNow - hours(90);
  event.jumps = {{kPageNow - hours(90), 1}, {kPageNow + hours(90), 7}};
  EXPECT_EQ(CountOf(Drawn(), "<use"), 1u);
  EXPECT_THAT(Drawn(), HasSubstr("7 occurrences"));
  EXPECT_THAT(Drawn(), HasSubstr("<use href=\"#t\" x=\"98.00%\""));
  EXPECT_THAT(Drawn(), HasSubstr("x=\"2.00%\" y=\"27\" width=\"96.00%\""));
}

TEST_F(TimelineTest, LeavesOutWhatIsAfterTheRangeOfTheUrl) {
  Add("Rebooted", "Warning", minutes(0)).jumps = {
      {kPageNow - hours(2) - minutes(5), 3},
      {kPageNow - hours(2), 5},
      {kPageNow - hours(1), 7}};
  range = RangeOf(rows, {}, kPageNow - hours(2), WallTime::min(), kPageNow);
  EXPECT_EQ(CountOf(Drawn(), "<use"), 1u);
  EXPECT_THAT(Drawn(), HasSubstr("<title>3 occurrences"));
  range = Range();
  EXPECT_EQ(CountOf(Drawn(), "<use"), 3u);
}

TEST_F(TimelineTest, MarksTheLastOccurrenceWithoutJumps) {
  Add("Rebooted", "Warning", minutes(300)).jumps.clear();
  rows[0].occurrences = 12;
  EXPECT_THAT(Drawn(), HasSubstr("12 occurrences, 2026-11-23 07:00:00 UTC"));
}

TEST_F(TimelineTest, IsBoundedForAnyEvents) {
  for (int i = 0; i < 100; ++i) {
    FoundEvent& event =
        Add("</svg><script>" + std::string(5000, 'x') + std::to_string(i % 50),
            "Warning", minutes(1));
    event.jumps.clear();
    for (int j = 0; j < 5000; ++j) {
      event.jumps.push_back({kPageNow - seconds(7 * j), UINT32_MAX});
    }
  }
  const std::string drawn = Drawn();
  EXPECT_EQ(CountOf(drawn, "class=\"lane\""), kMaxLanes);
  EXPECT_LE(CountOf(drawn, "<use"), kMaxLanes * 201);
  EXPECT_THAT(drawn, Not(HasSubstr("<script")));
  EXPECT_LT(drawn.size(), size_t{2} << 20);
}

TEST_F(TimelineTest, HasFewTicksForAnyRange) {
  Add("Rebooted", "Warning", minutes(0));
  for (const int64_t length : {60, 61, 359, 600, 1440, 10080, 20160, 5000000}) {
    range.from = range.to - minutes(length);
    const size_t ticks = CountOf(Drawn(), "class=\"tick\"");
    EXPECT_GE(ticks, 3u) << length;
    EXPECT_LE(ticks, 8u) << length;
  }
}

TEST_F(TimelineTest, LabelsTicksByHourAndDay) {
  Add("Rebooted", "Warning", minutes(0));
  range.from = kPageNow - hours(18);
  EXPECT_THAT(Drawn(), HasSubstr("\">21:00</text>"));
  EXPECT_THAT(Drawn(), HasSubstr("\">11-23</text>"));
  range.from = kPageNow - hours(24 * 14);
  EXPECT_THAT(Drawn(), HasSubstr("\">11-15</text>"));
  EXPECT_THAT(Drawn(), Not(HasSubstr(":00</text>")));
}

TEST_F(TimelineTest, ShowsAllThatIsKnownButAtMostTwoWeeks) {
  Add("Rebooted", "Warning", minutes(1));
  EXPECT_EQ(Range().to, kPageNow);
  EXPECT_EQ(Range().from, kPageNow - hours(1));
  Add("Rebooted", "Warning", minutes(150));
  EXPECT_EQ(Range().from, kPageNow - hours(3));
  Add("Rebooted", "Warning", hours(24 * 400));
  EXPECT_EQ(Range().from, kPageNow - hours(24 * 14));
  rows.erase(rows.begin(), rows.begin() + 2);
  EXPECT_EQ(Range().to, kPageNow - hours(24 * 400));
  EXPECT_EQ(Range().from, Range().to - hours(1));
}

TEST_F(TimelineTest, BeginsWithTheFirstOccurrenceThatMayBeKnown) {
  Add("Rebooted", "Warning", minutes(1)).first_seen = kPageNow - hours(30);
  EXPECT_EQ(Range().from, kPageNow - hours(30));
  EXPECT_EQ(RangeOf(rows, {}, {}, kPageNow - hours(9), kPageNow).from,
            kPageNow - hours(9));
}

TEST_F(TimelineTest, KeepsToTheRangeOfTheUrl) {
  Add("Rebooted", "Warning", minutes(1));
  const WallTime since = kPageNow - hours(50);
  const WallTime until = kPageNow - hours(40);
  EXPECT_EQ(RangeOf(rows, since, until, kPageNow, kPageNow).from, since);
  EXPECT_EQ(RangeOf(rows, since, until, kPageNow, kPageNow).to, until);
  EXPECT_EQ(RangeOf(rows, {}, until, kPageNow, kPageNow).from,
            until - hours(1));
  EXPECT_EQ(RangeOf({}, {}, {}, kPageNow, kPageNow).from, kPageNow - hours(1));
}

}  // namespace
}  // namespace kem

// Events of writers whose clocks are wrong, and Events whose past is unknown:
// how they count, and what the page shows.

#include "unit/pipeline/pipeline_fixture.h"

namespace kem {
namespace {

class PipelineClocksTest : public PipelineFixture {
 protected:
  void List(const std::vector<EventJson>& items, bool new_epoch = false) {
    std::vector<std::string> objects;
    objects.reserve(items.size());
    for (const EventJson& item : items) objects.push_back(item.Object());
    Stage(objects);
    Commit(new_epoch);
  }
  void Frame(const std::string& type, const EventJson& json) {
    PipelineFixture::Frame(json.Object(), type);
  }
  // The value of the first sample of `family` that has `label`.
  std::string Value(std::string_view family, std::string_view label) {
    std::string text;
    SeriesTable::Cursor cursor;
    ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), text);
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
      const std::string line = text.substr(at, text.find('\n', at) - at);
      if (line.starts_with(std::string(family) + '{') &&
          line.find(label) != std::string::npos) {
        return line.substr(line.rfind(' ') + 1);
      }
    }
    return "absent";
  }
  std::string Count(std::string_view label) {
    return Value("kube_event_occurrences_total", label);
  }
};

TEST_F(PipelineClocksTest, CountsWhatIsOnlyALowerBound) {
  pipeline.BeginList();
  pipeline.StageItem(
      PaddedJson(EventJson{.name = "b", .version = "90", .count = "5"}.Object())
          .view());
  pipeline.CommitList({100, clock.WallNow(), false, false});
  EXPECT_EQ(world.occurrences.lower_bounds, 0U);
  // It began before the list, which did not have it.
  Frame("ADDED", {.name = "x", .version = "101", .count = "5"});
  EXPECT_EQ(Count("\"Node\""), "1");
  EXPECT_EQ(world.occurrences.lower_bounds, 1U);
  Frame("MODIFIED", {.name = "x", .version = "102", .count = "7"});
  Frame("ADDED", {.name = "y", .version = "103"});
  EXPECT_EQ(Count("\"Node\""), "4");
  EXPECT_EQ(world.occurrences.lower_bounds, 1U);
  List({{.name = "x", .version = "102", .count = "7"},
        {.name = "y", .version = "103"},
        {.name = "z", .version = "110", .count = "40"}});
  EXPECT_EQ(Count("\"Node\""), "5");
  EXPECT_EQ(world.occurrences.lower_bounds, 2U);
  // What a filter left out is no occurrence of a counter.
  FilterOptions options;
  options.cluster_scoped = false;
  world.filter = std::make_shared<const EventFilter>(options);
  Frame("ADDED", {.name = "w", .version = "120", .count = "9"});
  EXPECT_EQ(world.occurrences.lower_bounds, 2U);
}

// By their clocks nothing happened within the last hour, or something will.
TEST_F(PipelineClocksTest, ShowsEventsOfWrongClocksWhenItSeesThem) {
  List({{.name = "behind", .version = "90", .count = "3"}});
  EXPECT_TRUE(world.recent.Newest(clock.WallNow()).events.empty());
  Frame("MODIFIED", {.name = "behind", .version = "101", .count = "4"});
  clock.Advance(std::chrono::minutes(1));
  Frame("ADDED", {.name = "ahead",
                  .version = "102",
                  .first = R"("2026-11-23T15:00:00Z")",
                  .last = R"("2026-11-23T15:00:00Z")"});
  clock.Advance(std::chrono::minutes(1));
  // Also when only a list reports it.
  List({{.name = "behind", .version = "101", .count = "4"},
        {.name = "also behind", .version = "110", .count = "7"}});
  const std::vector<RecentEvent> seen =
      world.recent.Newest(clock.WallNow()).events;
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].name, "also behind");
  EXPECT_EQ(seen[0].in_window, 7U);
  EXPECT_EQ(seen[1].name, "ahead");
  EXPECT_EQ(seen[1].in_window, 1U);
  EXPECT_EQ(seen[2].name, "behind");
  EXPECT_EQ(seen[2].in_window, 1U);
  EXPECT_TRUE(seen[2].at_least);
  EXPECT_EQ(seen[2].seen_at, clock.WallNow() - std::chrono::minutes(2));
}

// A writer whose clock is in 2099: its Event must not be the newest for ever.
TEST_F(PipelineClocksTest, TimesOfTheFutureAreAMinuteFromNowAtMost) {
  List({});
  EventJson json{.version = "101",
                 .first = R"("2099-01-01T00:00:00Z")",
                 .last = R"("2099-01-01T00:00:00Z")",
                 .count = "3"};
  Frame("ADDED", json);
  EXPECT_EQ(Count("NodeNotReady"), "1");
  constexpr std::string_view kLastSeen =
      "kube_event_last_seen_timestamp_seconds";
  EXPECT_EQ(Value(kLastSeen, "NodeNotReady"), "1795435260");
  clock.Advance(std::chrono::minutes(5));
  json.version = "102";
  json.count = "5";
  Frame("MODIFIED", json);
  EXPECT_EQ(Count("NodeNotReady"), "3");
  EXPECT_EQ(Value(kLastSeen, "NodeNotReady"), "1795435560");
}

TEST_F(PipelineClocksTest, AMachineThatIsBehindGoesByTheServersClock) {
  const WallTime server = clock.WallNow();
  clock.SetWall(server - std::chrono::hours(2));
  pipeline.NoteServerTime(server);
  List({});
  clock.Advance(std::chrono::seconds(10));
  Frame("ADDED", {.version = "101",
                  .first = R"("2026-11-23T12:00:07Z")",
                  .last = R"("2026-11-23T12:00:09Z")",
                  .count = "3"});
  EXPECT_EQ(Count("NodeNotReady"), "3");
  EXPECT_EQ(Value("kube_event_last_seen_timestamp_seconds", "NodeNotReady"),
            "1795435209");
}

TEST_F(PipelineClocksTest, AServerThatIsBehindChangesNothing) {
  pipeline.NoteServerTime(clock.WallNow() - std::chrono::hours(2));
  List({});
  Frame("ADDED", {.version = "101",
                  .first = R"("2026-11-23T12:00:00Z")",
                  .last = R"("2026-11-23T12:00:00Z")",
                  .count = "3"});
  EXPECT_EQ(Count("NodeNotReady"), "3");
  EXPECT_EQ(Value("kube_event_last_seen_timestamp_seconds", "NodeNotReady"),
            "1795435200");
}

}  // namespace
}  // namespace kem

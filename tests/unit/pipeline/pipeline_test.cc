// From JSON to exposition text. Discovery fails here, so scope comes from the
// built-in table.

#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include "events/discovery.h"
#include "testing/event_json.h"
#include "testing/fake_clock.h"
#include "testing/scoped_locale.h"
#include "testing/scripted_transport.h"

namespace kem {
namespace {

class PipelineTest : public ::testing::Test {
 protected:
  // Known reasons would add series that no test is about.
  PipelineTest() { world.preset_reasons = false; }

  // Commits a list of `items` at resourceVersion 100 before all Events' times.
  void List(const std::vector<EventJson>& items, bool new_epoch = false) {
    pipeline.BeginList();
    for (const EventJson& item : items) {
      EXPECT_TRUE(pipeline.StageItem(PaddedJson(item.Object()).view()));
    }
    pipeline.CommitList({100, WallTime(), new_epoch, false});
  }
  FrameInfo Frame(std::string_view type, const EventJson& json) {
    return pipeline.ApplyFrame(PaddedJson(json.Frame(type)).view());
  }

  std::string Render() {
    std::string out;
    SeriesTable::Cursor cursor;
    while (
        world.ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), out)) {
    }
    return out;
  }
  // The value of the first sample of `family` that has `label`.
  std::string Value(std::string_view family, std::string_view label) {
    const std::string text = "\n" + Render();
    size_t at = 0;
    while ((at = text.find("\n" + std::string(family) + "{", at)) !=
           std::string::npos) {
      const size_t end = text.find('\n', ++at);
      const std::string line = text.substr(at, end - at);
      if (line.find(label) != std::string::npos) {
        return line.substr(line.rfind(' ') + 1);
      }
    }
    return "absent";
  }
  std::string Count(std::string_view label) {
    return Value("kube_event_occurrences_total", label);
  }
  std::string Active(std::string_view label) {
    return Value("kube_event_active", label);
  }

  static EventJson Pod(std::string name, std::string version,
                       std::string count) {
    EventJson json;
    json.name = std::move(name);
    json.event_namespace = "shop";
    json.version = std::move(version);
    json.involved = R"({"kind":"Pod","namespace":"shop","name":"p"})";
    json.reason = R"("BackOff")";
    json.type = R"("Warning")";
    json.count = std::move(count);
    return json;
  }

  void Filter(const FilterOptions& options) {
    world.filter = std::make_shared<const EventFilter>(options);
  }

  FakeClock clock;
  ScriptedTransport transport;
  Discovery discovery{transport, clock};
  Ledger ledger{{std::chrono::seconds(0), 50'000, std::chrono::hours(1)},
                Hasher()};
  EventWorld world{discovery, clock, std::chrono::hours(1), ledger};
  Pipeline pipeline{world, "", clock, {}};
};

TEST_F(PipelineTest, ShowsNothingBeforeTheFirstCommit) {
  pipeline.BeginList();
  pipeline.StageItem(PaddedJson(EventJson().Object()).view());
  EXPECT_EQ(Render(), "");
}

TEST_F(PipelineTest, BaselineCountsNothingButFeedsTheGauges) {
  List({{.count = "5"}, Pod("p.1", "90", "3")});
  EXPECT_EQ(Count("\"Node\""), "0");
  EXPECT_EQ(Active("\"Node\""), "1");
  EXPECT_EQ(Value("kube_event_object_occurrences_total", "worker-1"), "0");
  EXPECT_EQ(Value("kube_event_last_seen_timestamp_seconds", "worker-1"),
            "1795428466");
  EXPECT_EQ(Value("kube_event_last_seen_timestamp_seconds", "\"shop\""),
            "1795428466");
}

TEST_F(PipelineTest, CountsLiveFrames) {
  List({});
  Frame("ADDED", {.version = "101", .count = "1"});
  Frame("MODIFIED", {.version = "102", .count = "4"});
  EXPECT_EQ(Count("\"Node\""), "4");
  EXPECT_EQ(Value("kube_event_object_occurrences_total", "worker-1"), "4");
  EXPECT_EQ(Active("\"Node\""), "1");
  Frame("DELETED", {.version = "103", .count = "4"});
  EXPECT_EQ(Count("\"Node\""), "4");
  EXPECT_EQ(Active("\"Node\""), "0");
  EXPECT_EQ(world.occurrences.tracked, 0);
  EXPECT_EQ(world.occurrences.tombstones, 1);
}

TEST_F(PipelineTest, ReplaysAreDroppedAndCountedAsSuch) {
  List({});
  Frame("ADDED", {.version = "101", .count = "1"});
  Frame("ADDED", {.version = "101", .count = "1"});
  EXPECT_EQ(Count("\"Node\""), "1");
  EXPECT_EQ(world.session.dropped[static_cast<size_t>(DropReason::kReplay)],
            1U);
}

TEST_F(PipelineTest, NodeIsClusterScopedThoughItsWriterGaveANamespace) {
  List({});
  EventJson json{.version = "101"};
  json.event_namespace = "kube-system";
  json.involved =
      R"({"kind":"Node","namespace":"default","name":"n","apiVersion":"v1"})";
  Frame("ADDED", json);
  EXPECT_EQ(Count(R"(scope="cluster",api_group="",kind="Node",)"
                  R"(object_namespace="",)"),
            "1");
  EXPECT_EQ(world.occurrences.claims[0], 1U);
}

TEST_F(PipelineTest, ChangedReasonTakesTheNewOccurrencesAndTheActiveObject) {
  List({});
  Frame("ADDED", {.version = "101", .count = "2"});
  Frame("MODIFIED",
        {.version = "102", .reason = R"("Rebooted")", .count = "5"});
  EXPECT_EQ(Count("NodeNotReady"), "2");
  EXPECT_EQ(Count("Rebooted"), "3");
  EXPECT_EQ(Active("NodeNotReady"), "0");
  EXPECT_EQ(Active("Rebooted"), "1");
}

TEST_F(PipelineTest, AnyOtherTypeIsOther) {
  List({});
  Frame("ADDED", {.version = "101", .type = R"("Error")"});
  Frame("ADDED", {.name = "b", .version = "102", .type = "null"});
  EXPECT_EQ(Count("type=\"other\""), "2");
}

TEST_F(PipelineTest, RelistCountsWhatHappenedMeanwhileAndDropsWhatIsGone) {
  List({Pod("x", "90", "5"), Pod("y", "91", "1")});
  List({Pod("x", "200", "9")});
  EXPECT_EQ(Count("\"Pod\""), "4");
  EXPECT_EQ(Active("\"Pod\""), "1");
}

TEST_F(PipelineTest, UnfinishedListLeavesNoTrace) {
  List({Pod("x", "90", "5")});
  pipeline.BeginList();
  pipeline.StageItem(PaddedJson(Pod("z", "95", "7").Object()).view());
  List({Pod("x", "200", "6")});
  EXPECT_EQ(Count("\"Pod\""), "1");
  EXPECT_EQ(Active("\"Pod\""), "1");
}

TEST_F(PipelineTest, NewEpochKeepsCountersAndBeginsAnew) {
  List({Pod("x", "900", "5")});
  Frame("MODIFIED", Pod("x", "901", "6"));
  List({Pod("x", "400", "2")}, true);
  EXPECT_EQ(Count("\"Pod\""), "1");
  Frame("MODIFIED", Pod("x", "501", "3"));
  EXPECT_EQ(Count("\"Pod\""), "2");
}

TEST_F(PipelineTest, WhatAFilterHoldsBackHasNoSeriesAndIsRemembered) {
  Filter({.kinds = {{}, {"Pod"}}});
  List({Pod("p.1", "90", "3")});
  Frame("MODIFIED", Pod("p.1", "101", "5"));
  Frame("ADDED", {.version = "102", .count = "1"});
  EXPECT_EQ(Count("\"Pod\""), "absent");
  EXPECT_EQ(Active("\"Pod\""), "absent");
  EXPECT_EQ(Count("\"Node\""), "1");
  EXPECT_EQ(world.occurrences.filtered, 2U);
  EXPECT_EQ(world.occurrences.tracked, 2);
  Frame("DELETED", Pod("p.1", "103", "5"));
  EXPECT_EQ(world.occurrences.tracked, 1);
}

TEST_F(PipelineTest, WhatAFilterLetsThroughLaterCountsFromThenOn) {
  Filter({.kinds = {{"Node|Deployment"}, {}}});
  List({Pod("p.1", "90", "3"), Pod("p.2", "91", "1")});
  Frame("MODIFIED", Pod("p.1", "101", "5"));
  Filter({});
  // A watch event does not wait for the list.
  Frame("MODIFIED", Pod("p.1", "102", "6"));
  EXPECT_EQ(Count("\"Pod\""), "1");
  EXPECT_EQ(Active("\"Pod\""), "1");
  List({Pod("p.1", "102", "6"), Pod("p.2", "91", "1")});
  EXPECT_EQ(Count("\"Pod\""), "1");
  EXPECT_EQ(Active("\"Pod\""), "2");
  EXPECT_EQ(world.occurrences.filtered, 2U);
}

TEST_F(PipelineTest, WhatAFilterHoldsBackLaterKeepsItsCounter) {
  List({Pod("p.1", "90", "3")});
  Frame("MODIFIED", Pod("p.1", "101", "5"));
  Filter({.kinds = {{"Node|Deployment"}, {}}});
  List({Pod("p.1", "101", "5")});
  EXPECT_EQ(Count("\"Pod\""), "2");
  EXPECT_EQ(Active("\"Pod\""), "0");
  Frame("MODIFIED", Pod("p.1", "102", "9"));
  Frame("DELETED", Pod("p.1", "103", "9"));
  EXPECT_EQ(Count("\"Pod\""), "2");
  EXPECT_EQ(Active("\"Pod\""), "0");
}

TEST_F(PipelineTest, AListUnderWayGoesByTheFilterItBeganWith) {
  List({Pod("p.1", "90", "3")});
  pipeline.BeginList();
  Filter({.kinds = {{"Node"}, {}}});
  EXPECT_EQ(pipeline.Selectors()[0], "");
  EXPECT_TRUE(
      pipeline.StageItem(PaddedJson(Pod("p.1", "99", "5").Object()).view()));
  pipeline.CommitList({100, WallTime(), false, false});
  EXPECT_EQ(Count("\"Pod\""), "2");
  EXPECT_EQ(Active("\"Pod\""), "1");
}

TEST_F(PipelineTest, AWiderSelectionBeginsWithWhatItFinds) {
  Filter({.kinds = {{"Node"}, {}}});
  List({});
  EXPECT_EQ(pipeline.Selectors()[0], "involvedObject.kind=Node");
  EXPECT_EQ(pipeline.Selectors()[1], "regarding.kind=Node");
  Filter({});
  // The Pod's Event was there all along, the Node's is new.
  List({Pod("p.1", "90", "3"), {.version = "99", .count = "1"}});
  EXPECT_EQ(pipeline.Selectors()[0], "");
  EXPECT_EQ(Count("\"Pod\""), "0");
  EXPECT_EQ(Active("\"Pod\""), "1");
  EXPECT_EQ(Count("\"Node\""), "1");
  Frame("MODIFIED", Pod("p.1", "101", "4"));
  EXPECT_EQ(Count("\"Pod\""), "1");
  // All Events are watched now, so a new one is new.
  List({Pod("p.1", "101", "4"), Pod("p.2", "103", "1")});
  EXPECT_EQ(Count("\"Pod\""), "2");
}

TEST_F(PipelineTest, CountsCombinedOccurrencesApart) {
  List({});
  Frame("ADDED", {.version = "101",
                  .message = R"("(combined from similar events): a")",
                  .count = "3"});
  EXPECT_EQ(world.occurrences.combined, 3U);
  EXPECT_EQ(Count("\"Node\""), "3");
}

TEST_F(PipelineTest, MeasuresLagByTheWallClockOfLiveOccurrencesOnly) {
  List({Pod("x", "90", "5")});
  clock.SetWall(WallTime(std::chrono::seconds(1795428466 + 7)));
  Frame("ADDED", {.version = "101"});
  Frame("DELETED", {.version = "102"});
  EXPECT_DOUBLE_EQ(world.occurrences.lag.sum_seconds(), 7.0);
  EXPECT_EQ(world.occurrences.lag.bucket(5), 1U);
}

TEST_F(PipelineTest, RemembersTheLastHourOfClusterScopedObjects) {
  clock.SetWall(WallTime(std::chrono::seconds(1795428466 + 60)));
  List({{.name = "old", .version = "90", .count = "5"}, Pod("x", "91", "5")});
  Frame("ADDED", {.name = "new", .version = "101", .message = R"("one")"});
  Frame("MODIFIED", {.name = "new",
                     .version = "102",
                     .message = R"("two")",
                     .last = R"("2026-11-23T10:07:48Z")",
                     .count = "3"});
  Frame("MODIFIED", {.name = "new", .version = "102", .message = R"("two")"});
  Frame("DELETED", {.name = "new", .version = "103"});
  Frame("ADDED", Pod("y", "104", "1"));
  std::vector<RecentEvent> seen = world.recent.Newest(clock.WallNow()).events;
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].name, "new");
  EXPECT_EQ(seen[0].message, "two");
  EXPECT_EQ(seen[0].count, 3U);
  EXPECT_EQ(seen[0].in_window, 3U);
  EXPECT_EQ(seen[1].name, "old");
  EXPECT_EQ(seen[1].in_window, 5U);

  // An unfinished list shows nothing, a committed one does.
  pipeline.BeginList();
  pipeline.StageItem(
      PaddedJson(EventJson{.name = "torn", .version = "150"}.Object()).view());
  EXPECT_EQ(world.recent.Newest(clock.WallNow()).events.size(), 2U);
  clock.Advance(std::chrono::seconds(1));
  List({{.name = "old", .version = "200", .count = "9"}});
  seen = world.recent.Newest(clock.WallNow()).events;
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].name, "old");
  EXPECT_EQ(seen[0].count, 9U);
  EXPECT_EQ(seen[0].seen_at, clock.WallNow());
  // A new epoch brings no news.
  clock.Advance(std::chrono::seconds(1));
  List({{.name = "restored", .version = "50", .count = "2"}},
       /*new_epoch=*/true);
  seen = world.recent.Newest(clock.WallNow()).events;
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[2].name, "restored");
  EXPECT_EQ(seen[2].in_window, 2U);
}

TEST_F(PipelineTest, IdleSeriesExpireWithTheFramesAndBookmarks) {
  List({Pod("x", "90", "5")});
  Frame("DELETED", Pod("x", "101", "5"));
  clock.Advance(std::chrono::minutes(59));
  Frame("BOOKMARK", Pod("", "102", "1"));
  EXPECT_EQ(Count("\"Pod\""), "0");
  clock.Advance(std::chrono::minutes(1));
  Frame("BOOKMARK", Pod("", "103", "1"));
  EXPECT_EQ(Count("\"Pod\""), "absent");
}

TEST_F(PipelineTest, NamesTheEventThatMovedACounter) {
  Ledger naming({std::chrono::seconds(0), 10, std::chrono::hours(1), true},
                Hasher());
  EventWorld other(discovery, clock, std::chrono::hours(1), naming);
  Pipeline receiver(other, "", clock, {});
  receiver.BeginList();
  receiver.CommitList({100, WallTime(), false, false});
  receiver.ApplyFrame(
      PaddedJson(Pod("web.17", "101", "2").Frame("ADDED")).view());
  SeriesTable::Cursor cursor;
  cursor.style.open_metrics = true;
  std::string out;
  other.ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), out);
  EXPECT_NE(out.find("} 2 # {namespace=\"shop\",name=\"web.17\"} 1 1795428466"),
            std::string::npos)
      << out;
}

TEST_F(PipelineTest, ResumesWhereAnEarlierPipelineStopped) {
  EXPECT_FALSE(pipeline.ResumedWholeUntil());
  List({});
  Frame("ADDED", {.version = "101"});
  clock.Advance(std::chrono::minutes(1));
  Frame("BOOKMARK", Pod("", "102", "1"));
  EXPECT_EQ(pipeline.resume_point().resume(), 101U);
  const SteadyTime newest = clock.SteadyNow();
  clock.Advance(std::chrono::minutes(1));
  const Pipeline later(world, "", clock, {});
  EXPECT_EQ(later.resume_point().resume(), 101U);
  EXPECT_EQ(later.ResumedWholeUntil(), newest);
}

TEST_F(PipelineTest, NothingExpiresUnderAStagedList) {
  List({});
  Pipeline listing(world, "shop", clock, {});
  listing.BeginList();
  EXPECT_TRUE(
      listing.StageItem(PaddedJson(Pod("y", "91", "1").Object()).view()));
  clock.Advance(std::chrono::hours(2));
  Frame("ADDED", {.version = "101"});
  listing.CommitList({200, WallTime(), false, false});
  EXPECT_EQ(Active("\"Pod\""), "1");
  // The next list drops an unfinished one.
  listing.BeginList();
  EXPECT_TRUE(
      listing.StageItem(PaddedJson(Pod("z", "210", "1").Object()).view()));
  listing.BeginList();
  EXPECT_EQ(world.staged_lists, 0);
}

TEST_F(PipelineTest, GoldenTextIsTheSameUnderAGermanLocale) {
  const ScopedGermanLocale german;
  List({});
  EventJson json = Pod("p.1", "101", "1234567");
  json.reason = R"("He said \"no\"\\\n\u0000")";
  json.last = R"("2026-11-23T10:07:46Z")";
  json.event_time = R"("2026-11-23T10:07:46.500000Z")";
  Frame("ADDED", json);
  const std::string labels =
      R"({scope="namespaced",api_group="",kind="Pod",)"
      R"(object_namespace="shop",reason="He said \"no\"\\\n?",)"
      R"(type="Warning",reporting_component="node-controller"})";
  const std::string text = Render();
  EXPECT_NE(text.find("kube_event_occurrences_total" + labels + " 1234567\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(" 1795428466.5\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace kem

#include "series/series_table.h"

#include "series_fixture.h"
#include "testing/scoped_locale.h"

namespace kem {
namespace {

using std::chrono::seconds;

using SeriesTableTest = SeriesTest;

constexpr char kGolden[] =
    R"(# HELP kube_event_occurrences_total Occurrences of Events, by scope, kind, namespace, reason, type and reporting component.
# TYPE kube_event_occurrences_total counter
kube_event_occurrences_total{scope="cluster",api_group="",kind="Node",object_namespace="",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1003
kube_event_occurrences_total{scope="namespaced",api_group="",kind="Pod",object_namespace="shop",reason="BackOff",type="Warning",reporting_component="kubelet"} 7
# HELP kube_event_object_occurrences_total Occurrences of Events about cluster-scoped objects, by object.
# TYPE kube_event_object_occurrences_total counter
kube_event_object_occurrences_total{scope="cluster",api_group="",kind="Node",object_name="worker-1",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 3
kube_event_object_occurrences_total{scope="cluster",api_group="",kind="Node",object_name="worker-2",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1000
# HELP kube_event_last_seen_timestamp_seconds Unix time of the last occurrence by its writer's clock, by cluster-scoped object or by namespace.
# TYPE kube_event_last_seen_timestamp_seconds gauge
kube_event_last_seen_timestamp_seconds{scope="namespaced",api_group="",kind="Pod",object_namespace="shop",object_name="",reason="BackOff",type="Warning",reporting_component="kubelet"} 1700000000.25
kube_event_last_seen_timestamp_seconds{scope="cluster",api_group="",kind="Node",object_namespace="",object_name="worker-1",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1700000100
kube_event_last_seen_timestamp_seconds{scope="cluster",api_group="",kind="Node",object_namespace="",object_name="worker-2",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1700000200
# HELP kube_event_active Events that exist in the API server now.
# TYPE kube_event_active gauge
kube_event_active{scope="cluster",api_group="",kind="Node",object_namespace="",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 2
kube_event_active{scope="namespaced",api_group="",kind="Pod",object_namespace="shop",reason="BackOff",type="Warning",reporting_component="kubelet"} 0
)";

TEST_F(SeriesTableTest, RendersTheGoldenTextInAnyPiecesUnderAnyLocale) {
  Happen(Node("worker-1"), 3, 1700000100);
  Happen(Node("worker-1"), 0, 1700000050);
  Happen(Node("worker-2"), 1000, 1700000200);
  table.Join(table.Intern(Node("worker-1")));
  table.Join(table.Intern(Node("worker-2")));
  table.Record(table.Intern(Pod()), 7,
               WallTime(std::chrono::milliseconds(1700000000250)), now);
  table.Join(table.Intern(Pod()));
  table.Leave(table.Intern(Pod()));
  Wait(seconds(75));
  EXPECT_EQ(Render(), kGolden);
  EXPECT_EQ(Render(1), kGolden);
  EXPECT_EQ(Render(300), kGolden);
  const ScopedGermanLocale german;
  EXPECT_EQ(Render(), kGolden);
}

TEST_F(SeriesTableTest, NothingRecordedShowsNothing) {
  table.Intern(Node());
  EXPECT_EQ(Render(), "");
  EXPECT_EQ(Shown(Family::kOccurrences), 0U);
}

TEST_F(SeriesTableTest, NewCounterShowsZeroForTheInitialZeroAndThenItsValue) {
  const auto value = [this] {
    const std::string text = Render();
    const size_t brace = text.find("} ");
    return text.substr(brace + 2, text.find('\n', brace) - brace - 2);
  };
  Happen(Pod(), 5, 100);
  EXPECT_EQ(value(), "0");
  Wait(seconds(74));
  Happen(Pod(), 1, 174);
  EXPECT_EQ(value(), "0");
  Wait(seconds(1));
  EXPECT_EQ(value(), "6");
}

TEST_F(SeriesTableTest, InitialZeroDoesNotTouchGauges) {
  Happen(Pod(), 5, 100);
  table.Join(table.Intern(Pod()));
  const std::string text = Render();
  EXPECT_NE(text.find("\"kubelet\"} 100\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\"kubelet\"} 1\n"), std::string::npos) << text;
}

TEST_F(SeriesTableTest, SameLabelsAreOneSeries) {
  EXPECT_EQ(table.Intern(Node()), table.Intern(Node()));
  EXPECT_EQ(table.Intern(Node("a")).tuple, table.Intern(Node("b")).tuple);
  EXPECT_NE(table.Intern(Node("a")).object, table.Intern(Node("b")).object);
  EXPECT_EQ(table.Intern(Pod()).object, SeriesIds::kNone);
}

TEST_F(SeriesTableTest, EachLabelDistinguishesSeries) {
  SeriesLabels other = Pod();
  other.object_namespace = "";
  EXPECT_NE(table.Intern(other), table.Intern(Pod()));
  other = Pod();
  other.reason = "BackOf";
  other.type = "FWarning";
  EXPECT_NE(table.Intern(other), table.Intern(Pod()));
  other = Pod();
  other.scope = Scope::kCluster;
  EXPECT_NE(table.Intern(other).tuple, table.Intern(Pod()).tuple);
}

TEST_F(SeriesTableTest, ManySeriesKeepTheirValues) {
  for (int i = 0; i < 5000; ++i) {
    Happen(Node("n" + std::to_string(i)), static_cast<uint32_t>(i), 100);
  }
  EXPECT_EQ(Shown(Family::kOccurrences), 1U);
  EXPECT_EQ(Shown(Family::kObjectOccurrences), 5000U);
  EXPECT_EQ(Shown(Family::kLastSeen), 5000U);
  Wait(seconds(75));
  const std::string text = Render();
  EXPECT_NE(text.find("object_name=\"n4321\",reason=\"NodeNotReady\",type="
                      "\"Normal\",reporting_component=\"node-controller\"} "
                      "4321\n"),
            std::string::npos);
  EXPECT_NE(text.find("} 12497500\n"), std::string::npos);
}

// A family with two kinds of rows: a new row of the first kind must not move
// the scrape back in the second.
TEST_F(SeriesTableTest, NewSeriesDuringAScrapeShowNothingTwice) {
  Happen(Pod(), 1, 100);
  Happen(Node("worker-1"), 1, 100);
  Happen(Node("worker-2"), 1, 100);
  SeriesTable::Cursor cursor;
  std::string all;
  int added = 0;
  while (table.Render(cursor, all.size() + 1, now.steady, all)) {
    if (++added < 20) Happen(Pod("r" + std::to_string(added)), 1, 100);
  }
  ASSERT_GT(added, 20);
  for (size_t at = 0; at < all.size();) {
    const size_t end = all.find('\n', at);
    const std::string line = all.substr(at, end - at + 1);
    EXPECT_EQ(all.find(line), all.rfind(line)) << line;
    at = end + 1;
  }
}

}  // namespace
}  // namespace kem

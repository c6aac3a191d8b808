// The event series in OpenMetrics: names, created timestamps, exemplars.
#include <gmock/gmock.h>

#include "series_fixture.h"
#include "testing/scoped_locale.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

class SeriesOpenMetricsTest : public SeriesTest {
 protected:
  std::string OpenMetrics(bool created = false) const {
    RenderCursor cursor;
    cursor.style = {true, created};
    std::string out;
    while (table.Render(cursor, out.size() + 1, now.steady, out)) {
    }
    return out;
  }

  SeriesTable table{{seconds(75), 100, hours(24), true}, hash};
};

constexpr char kGoldenOpenMetrics[] =
    R"(# HELP kube_event_occurrences Occurrences of Events, by scope, kind, namespace, reason, type and reporting component.
# TYPE kube_event_occurrences counter
kube_event_occurrences_total{scope="cluster",api_group="",kind="Node",object_namespace="",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 3 # {namespace="default",name="worker-1.17\"x"} 1 1700000100
kube_event_occurrences_created{scope="cluster",api_group="",kind="Node",object_namespace="",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1700000000.25
# HELP kube_event_object_occurrences Occurrences of Events about cluster-scoped objects, by object.
# TYPE kube_event_object_occurrences counter
kube_event_object_occurrences_total{scope="cluster",api_group="",kind="Node",object_name="worker-1",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 3 # {namespace="default",name="worker-1.17\"x"} 1 1700000100
kube_event_object_occurrences_created{scope="cluster",api_group="",kind="Node",object_name="worker-1",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1700000000.25
# HELP kube_event_last_seen_timestamp_seconds Unix time of the last occurrence by its writer's clock, by cluster-scoped object or by namespace.
# TYPE kube_event_last_seen_timestamp_seconds gauge
# UNIT kube_event_last_seen_timestamp_seconds seconds
kube_event_last_seen_timestamp_seconds{scope="cluster",api_group="",kind="Node",object_namespace="",object_name="worker-1",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 1700000100
# HELP kube_event_active Events that exist in the API server now.
# TYPE kube_event_active gauge
kube_event_active{scope="cluster",api_group="",kind="Node",object_namespace="",reason="NodeNotReady",type="Normal",reporting_component="node-controller"} 0
)";

TEST_F(SeriesOpenMetricsTest, RendersTheGoldenTextUnderAnyLocale) {
  now.wall += milliseconds(250);
  const SeriesIds ids = Happen(table, Node(), 3, 1'700'000'100, now);
  table.Note(ids, "default", "worker-1.17\"x",
             WallTime(seconds(1'700'000'100)));
  Wait(seconds(75));
  EXPECT_EQ(OpenMetrics(true), kGoldenOpenMetrics);
  const ScopedGermanLocale german;
  EXPECT_EQ(OpenMetrics(true), kGoldenOpenMetrics);
}

TEST_F(SeriesOpenMetricsTest, HasCreatedOnlyOnRequest) {
  Happen(table, Node(), 3, 100, now);
  EXPECT_THAT(OpenMetrics(false), Not(HasSubstr("_created")));
  EXPECT_THAT(Render(table), Not(HasSubstr("_created")));
}

TEST_F(SeriesOpenMetricsTest, AnExemplarWaitsForTheInitialZero) {
  const SeriesIds ids = Happen(table, Pod(), 1, 100, now);
  table.Note(ids, "shop", "a.1", WallTime(seconds(100)));
  EXPECT_THAT(OpenMetrics(), Not(HasSubstr(" # ")));
  Wait(seconds(75));
  EXPECT_THAT(OpenMetrics(),
              HasSubstr("} 1 # {namespace=\"shop\",name=\"a.1\"} 1 100\n"));
  EXPECT_THAT(Render(table), Not(HasSubstr(" # ")));
}

TEST_F(SeriesOpenMetricsTest, TheNewestExemplarStays) {
  const SeriesIds ids = Happen(table, Pod(), 1, 100, now);
  table.Note(ids, "shop", "a.2", WallTime(seconds(100)));
  table.Note(ids, "shop", "a.1", WallTime(seconds(99)));
  table.Note(ids, "shop", "a.3", WallTime(seconds(100)));
  Wait(seconds(75));
  EXPECT_THAT(OpenMetrics(), HasSubstr("name=\"a.3\"} 1 100\n"));
}

TEST_F(SeriesOpenMetricsTest, AnExemplarGoesWithItsSeries) {
  const SeriesIds old = Happen(table, Pod(), 1, 100, now);
  table.Note(old, "shop", "a.1", WallTime(seconds(100)));
  Wait(hours(24));
  table.Expire(now.steady);
  EXPECT_EQ(Happen(table, Pod("Other"), 1, 100, now), old);
  Wait(seconds(75));
  EXPECT_THAT(OpenMetrics(), Not(HasSubstr(" # ")));
}

TEST_F(SeriesOpenMetricsTest, NoExemplarsAreKeptUnlessWanted) {
  const SeriesIds ids = Happen(SeriesTest::table, Pod(), 1, 100, now);
  SeriesTest::table.Note(ids, "shop", "a.1", WallTime(seconds(100)));
  Wait(seconds(75));
  RenderCursor cursor;
  cursor.style.open_metrics = true;
  std::string out;
  EXPECT_FALSE(SeriesTest::table.Render(cursor, 1 << 20, now.steady, out));
  EXPECT_THAT(out, Not(HasSubstr(" # ")));
}

}  // namespace
}  // namespace kem

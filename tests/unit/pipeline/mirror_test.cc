// Mirrored Events, of this exporter or another, neither count nor are
// delivered.
#include "unit/pipeline/pipeline_fixture.h"

namespace kem {
namespace {

class MirrorTest : public PipelineFixture {
 protected:
  MirrorTest() {
    ledger.SetSinks({{"log", 100, 100'000}});
    world.sink_filters = {std::make_shared<const EventFilter>(FilterOptions())};
  }

  size_t Offered() const { return ledger.outbox().size(0).entries; }
  std::string Render() {
    std::string out;
    SeriesTable::Cursor cursor;
    while (ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), out)) {
    }
    return out;
  }

  // In core/v1, as the sink writes it, with the source of the original.
  static std::string Mirror(const std::string& version,
                            const std::string& count) {
    EventJson json;
    json.name = "worker-1.18eaa4ad72eb93c4.2d06800538d394c2";
    json.event_namespace = "infra";
    json.version = version;
    json.involved = R"({"kind":"Node","namespace":"infra","name":"worker-1",)"
                    R"("apiVersion":"v1"})";
    json.count = count;
    json.controller = R"("kube-event-metrics")";
    return json.Object();
  }
  // The same as events.k8s.io/v1 shows it.
  static std::string MirrorInEvents(const std::string& version,
                                    const std::string& count) {
    return R"({"kind":"Event","apiVersion":"events.k8s.io/v1","metadata":{)"
           R"("name":"b","namespace":"infra","uid":"u","resourceVersion":")" +
           version +
           R"(","creationTimestamp":"2026-11-23T10:00:00Z"},"eventTime":null,)"
           R"("reportingController":"kube-event-metrics","reason":"Rebooted",)"
           R"("regarding":{"kind":"Node","namespace":"infra","name":"n",)"
           R"("apiVersion":"v1"},"note":"","type":"Warning",)"
           R"("deprecatedSource":{"component":"kubelet"},)"
           R"("deprecatedFirstTimestamp":"2026-11-23T10:00:00Z",)"
           R"("deprecatedLastTimestamp":"2026-11-23T10:00:00Z",)"
           R"("deprecatedCount":)" +
           count + "}";
  }
};

TEST_F(MirrorTest, HasNoSeriesAndIsNotOfferedButFiltered) {
  List({Mirror("90", "3")});
  EXPECT_EQ(world.occurrences.filtered, 0U);
  Frame(Mirror("101", "5"), "MODIFIED");
  EXPECT_EQ(world.occurrences.filtered, 2U);
  Frame(MirrorInEvents("102", "4"));
  EXPECT_EQ(world.occurrences.filtered, 6U);
  // New in a list, not in a watch event.
  List({Mirror("203", "6"), MirrorInEvents("204", "5")});
  EXPECT_EQ(world.occurrences.filtered, 8U);
  EXPECT_EQ(Render().find('{'), std::string::npos) << Render();
  EXPECT_EQ(Offered(), 0U);
  EXPECT_TRUE(world.recent.Newest(clock.WallNow()).events.empty());
}

TEST_F(MirrorTest, IsNoClaimAboutANode) {
  List({Mirror("90", "3")});
  Frame(MirrorInEvents("101", "1"));
  EXPECT_EQ(world.occurrences.claims[0], 0U);
  EXPECT_EQ(world.occurrences.claims[1], 0U);
  EXPECT_TRUE(transport.requests.empty());
}

TEST_F(MirrorTest, ASourceOfThatNameAloneMakesNone) {
  List({});
  EventJson json;
  json.version = "101";
  json.source = R"({"component":"kube-event-metrics"})";
  json.controller = R"("")";
  Frame(json.Object());
  EXPECT_EQ(world.occurrences.filtered, 0U);
  EXPECT_EQ(Offered(), 1U);
  EXPECT_NE(Render().find("reporting_component=\"\"} 1\n"), std::string::npos)
      << Render();
}

}  // namespace
}  // namespace kem

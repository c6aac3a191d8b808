// Events about cluster-scoped objects in namespaces where tenants can write
// them: nothing cluster-scoped moves.
#include <gmock/gmock.h>

#include "unit/pipeline/pipeline_fixture.h"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ClaimsTest : public PipelineFixture {
 protected:
  // About a Node, in `event_namespace`.
  static EventJson Claim(const std::string& event_namespace,
                         const std::string& version,
                         const std::string& count = "1") {
    EventJson json;
    json.event_namespace = event_namespace;
    json.version = version;
    json.count = count;
    // Within the hour that the page shows.
    json.first = json.last = R"("2026-11-23T11:30:00Z")";
    json.involved = R"({"kind":"Node","apiVersion":"v1","name":"n1",)"
                    R"("namespace":")" +
                    event_namespace + R"("})";
    return json;
  }
  void Trust(std::vector<std::string> namespaces) {
    world.filter = std::make_shared<const EventFilter>(
        FilterOptions{.trusted_namespaces = std::move(namespaces)});
  }
  std::string Render() {
    std::string out;
    SeriesTable::Cursor cursor;
    while (ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), out)) {
    }
    return out;
  }
  // The value of the only sample of a family with this scope and namespace.
  std::string Value(const std::string& family, const std::string& scope,
                    const std::string& object_namespace,
                    const std::string& kind = "Node") {
    const std::string text = Render();
    const std::string head = "\n" + family + "{scope=\"" + scope +
                             "\",api_group=\"\",kind=\"" + kind + "\"";
    const std::string place = "object_namespace=\"" + object_namespace + "\"";
    std::string value = "absent";
    for (size_t at = text.find(head); at != std::string::npos;
         at = text.find(head, at + 1)) {
      const std::string line =
          text.substr(at + 1, text.find('\n', at + 1) - at - 1);
      if (line.find(place) == std::string::npos) continue;
      EXPECT_EQ(value, "absent") << text;
      value = line.substr(line.rfind(' ') + 1);
    }
    return value;
  }
  std::string Count(const std::string& scope, const std::string& place = "") {
    return Value("kube_event_occurrences_total", scope, place);
  }
  std::string Active(const std::string& scope, const std::string& place = "") {
    return Value("kube_event_active", scope, place);
  }
  std::string ObjectCount() {
    const std::string text = Render();
    const size_t at = text.find("\nkube_event_object_occurrences_total{");
    if (at == std::string::npos) return "absent";
    const std::string line =
        text.substr(at + 1, text.find('\n', at + 1) - at - 1);
    return line.substr(line.rfind(' ') + 1);
  }
  uint64_t Claims(ClaimResult result) const {
    return world.occurrences.claims[static_cast<size_t>(result)];
  }
};

TEST_F(ClaimsTest, AnUntrustedOneCountsInTheNamespaceOfTheEvent) {
  List({});
  Frame(Claim("team-a", "101", "2").Object());
  EventJson no_api_version = Claim("team-a", "102", "3");
  no_api_version.name = "b";
  no_api_version.involved =
      R"({"kind":"Node","name":"n1","namespace":"team-a","uid":"n1"})";
  Frame(no_api_version.Object());
  // The API server accepts any namespace where eventTime is set.
  EventJson elsewhere = Claim("team-a", "103", "4");
  elsewhere.name = "c";
  elsewhere.event_time = R"("2026-11-23T10:07:46.000000Z")";
  elsewhere.involved =
      R"({"kind":"Node","apiVersion":"v1","name":"n1","namespace":"default"})";
  Frame(elsewhere.Object());
  EventJson none = Claim("team-a", "104", "5");
  none.name = "d";
  none.involved = R"({"kind":"Node","apiVersion":"v1","name":"n1"})";
  Frame(none.Object());
  EXPECT_EQ(Count("namespaced", "team-a"), "14");
  EXPECT_EQ(Active("namespaced", "team-a"), "4");
  EXPECT_THAT(Render(), Not(HasSubstr("scope=\"cluster\"")));
  EXPECT_THAT(Render(), Not(HasSubstr("n1")));
  EXPECT_EQ(ObjectCount(), "absent");
  EXPECT_TRUE(world.recent.Newest(clock.WallNow()).events.empty());
  EXPECT_EQ(Claims(ClaimResult::kUntrusted), 4U);
  EXPECT_EQ(Claims(ClaimResult::kTrusted), 0U);
  Frame(Claim("team-a", "105", "2").Object(), "DELETED");
  EXPECT_EQ(Count("namespaced", "team-a"), "14");
  EXPECT_EQ(Active("namespaced", "team-a"), "3");
}

TEST_F(ClaimsTest, ATrustedOneCountsAsClusterScoped) {
  Trust({"npd.*"});
  List({});
  for (const char* place : {"default", "kube-system", "npd-1"}) {
    EventJson claim = Claim(place, "101", "2");
    claim.name = place;
    Frame(claim.Object());
  }
  EventJson usual = Claim("default", "105");
  usual.involved = R"({"kind":"Node","apiVersion":"v1","name":"n1"})";
  Frame(usual.Object());
  EXPECT_EQ(Count("cluster"), "7");
  EXPECT_EQ(Active("cluster"), "4");
  EXPECT_EQ(ObjectCount(), "7");
  EXPECT_THAT(Render(), Not(HasSubstr("scope=\"namespaced\"")));
  EXPECT_EQ(world.recent.Newest(clock.WallNow()).events.size(), 4U);
  // The last one names no namespace.
  EXPECT_EQ(Claims(ClaimResult::kTrusted), 3U);
  EXPECT_EQ(Claims(ClaimResult::kUntrusted), 0U);
}

TEST_F(ClaimsTest, NoTenantCountsInTheNamespaceOfAnother) {
  Trust({"npd.*"});
  List({});
  for (const char* place : {"team-a", "team-b", "default", "npd-1"}) {
    EventJson event;
    event.event_namespace = place;
    event.version = "101";
    event.name = place;
    event.event_time = R"("2026-11-23T10:07:46.000000Z")";
    event.involved = R"({"kind":"Pod","apiVersion":"v1","name":"p",)"
                     R"("namespace":"team-b"})";
    Frame(event.Object());
  }
  const auto pods = [this](const std::string& place) {
    return Value("kube_event_occurrences_total", "namespaced", place, "Pod");
  };
  EXPECT_EQ(pods("team-a"), "1");
  EXPECT_EQ(pods("team-b"), "3");
  EXPECT_EQ(pods("default"), "absent");
}

TEST_F(ClaimsTest, AListAndAReplayAttributeItTheSameWay) {
  const std::string claim = Claim("team-a", "90", "3").Object();
  List({claim});
  EXPECT_EQ(Count("namespaced", "team-a"), "0");
  Frame(claim);
  List({Claim("team-a", "201", "5").Object()});
  Frame(Claim("team-a", "201", "5").Object(), "MODIFIED");
  Frame(Claim("team-a", "202", "9").Object(), "MODIFIED");
  EXPECT_EQ(Count("namespaced", "team-a"), "6");
  EXPECT_EQ(Active("namespaced", "team-a"), "1");
  EXPECT_THAT(Render(), Not(HasSubstr("scope=\"cluster\"")));
  EXPECT_TRUE(world.recent.Newest(clock.WallNow()).events.empty());
}

TEST_F(ClaimsTest, SinksGetItWithTheScopeItCountsWith) {
  FilterOptions cluster;
  cluster.namespaced = false;
  FilterOptions nodes = cluster;  // as a sink of the type annotate has it
  nodes.kinds.include = {"Node"};
  FilterOptions namespaced;
  namespaced.cluster_scoped = false;
  namespaced.namespaces.include = {"team-a"};
  for (const FilterOptions& options :
       {cluster, nodes, namespaced, FilterOptions()}) {
    world.sink_filters.push_back(std::make_shared<const EventFilter>(options));
  }
  ledger.SetSinks({{"cluster", 100, 100'000},
                   {"nodes", 100, 100'000},
                   {"namespaced", 100, 100'000},
                   {"all", 100, 100'000}});
  List({});
  EventJson claim = Claim("team-a", "101", "2");
  claim.involved =
      R"({"kind":"Node","apiVersion":"v1","name":"n1","namespace":"default"})";
  Frame(claim.Object());
  claim.version = "102";
  claim.count = "7";
  Stage({claim.Object()});
  // A reload during the list: the offers are matched again.
  std::swap(world.sink_filters[0], world.sink_filters[1]);
  Commit();
  for (const size_t sink : {0U, 1U}) {
    EXPECT_EQ(ledger.outbox().size(sink).entries, 0U) << sink;
  }
  for (const size_t sink : {2U, 3U}) {
    const Outbox::Entries entries = ledger.Peek(sink, 100, 100'000);
    ASSERT_EQ(entries.size(), 2U) << sink;
    const auto occurrence = DecodeOccurrence(entries[1]->bytes);
    EXPECT_EQ(occurrence->scope, Scope::kNamespaced);
    EXPECT_EQ(occurrence->object_namespace, "team-a");
    EXPECT_EQ(occurrence->delta, 5U);
  }
}

TEST_F(ClaimsTest, DoesNotMoveAKnownReasonThatStartsAtZero) {
  world.preset_reasons = true;
  List({});
  const std::string zero =
      R"(kube_event_occurrences_total{scope="cluster",api_group="",)"
      R"(kind="Node",object_namespace="",reason="NodeNotReady",)"
      R"(type="Normal",reporting_component="node-controller"} 0)";
  EXPECT_THAT(Render(), HasSubstr(zero));
  Frame(Claim("team-a", "101", "3").Object());
  EXPECT_THAT(Render(), HasSubstr(zero));
  EXPECT_THAT(Render(),
              HasSubstr(R"(kube_event_occurrences_total{scope="namespaced",)"
                        R"(api_group="",kind="Node",object_namespace="team-a",)"
                        R"(reason="NodeNotReady",type="Normal",)"
                        R"(reporting_component="node-controller"} 3)"));
}

TEST_F(ClaimsTest, AfterAReloadNewOccurrencesCountByTheNewTrust) {
  Trust({"team-a"});
  List({Claim("team-a", "90", "1").Object()});
  Frame(Claim("team-a", "101", "4").Object(), "MODIFIED");
  EXPECT_EQ(Count("cluster"), "3");
  EXPECT_EQ(Active("cluster"), "1");
  Trust({});
  Frame(Claim("team-a", "101", "4").Object(), "MODIFIED");
  EXPECT_EQ(Count("namespaced", "team-a"), "0");
  Frame(Claim("team-a", "102", "6").Object(), "MODIFIED");
  EXPECT_EQ(Count("cluster"), "3");
  EXPECT_EQ(ObjectCount(), "3");
  EXPECT_EQ(Count("namespaced", "team-a"), "2");
  EXPECT_EQ(Active("cluster"), "0");
  EXPECT_EQ(Active("namespaced", "team-a"), "1");
  Trust({"team-.*"});
  // The list that follows a reload moves what is quiet, and counts nothing.
  List({Claim("team-a", "102", "6").Object()});
  EXPECT_EQ(Count("cluster"), "3");
  EXPECT_EQ(Count("namespaced", "team-a"), "2");
  EXPECT_EQ(Active("cluster"), "1");
  EXPECT_EQ(Active("namespaced", "team-a"), "0");
  Trust({});
  // Gone before it was seen again: it leaves the series that it was in.
  Frame(Claim("team-a", "103", "6").Object(), "DELETED");
  EXPECT_EQ(Active("cluster"), "0");
  EXPECT_EQ(Active("namespaced", "team-a"), "0");
  // Written again after its expiry, with its count so far.
  Frame(Claim("team-a", "104", "7").Object());
  EXPECT_EQ(Count("cluster"), "3");
  EXPECT_EQ(Count("namespaced", "team-a"), "3");
}

TEST_F(ClaimsTest, AListGoesByTheTrustItBeganWith) {
  List({});
  pipeline.BeginList();
  Trust({"team-a"});
  EXPECT_TRUE(pipeline.StageItem(
      PaddedJson(Claim("team-a", "99", "2").Object()).view()));
  Commit();
  EXPECT_EQ(Count("namespaced", "team-a"), "2");
  List({Claim("team-a", "99", "2").Object()});
  EXPECT_EQ(Active("cluster"), "1");
  EXPECT_EQ(Active("namespaced", "team-a"), "0");
}

TEST_F(ClaimsTest, AreLoggedOncePerNamespaceAndHour) {
  testing::internal::CaptureStderr();
  EventJson listed = Claim("team-a", "90");
  listed.name = R"(evil\u001b[31m\nlevel=error)";
  listed.reason = '"' + std::string(1000, 'R') + '"';
  List({listed.Object(), Claim("team-a", "91").Object()});
  Frame(Claim("team-a", "101").Object());
  Frame(Claim("team-b", "102").Object());
  Frame(Claim("default", "103").Object());
  clock.Advance(std::chrono::hours(1));
  Frame(Claim("team-a", "104").Object(), "MODIFIED");
  const std::string log = testing::internal::GetCapturedStderr();
  size_t lines = 0;
  for (size_t at = 0;
       (at = log.find("level=warn msg=\"An Event", at)) != std::string::npos;
       ++at) {
    ++lines;
  }
  EXPECT_EQ(lines, 3U) << log;
  EXPECT_THAT(log, HasSubstr("namespace=team-a event=\"evil\\u001b[31m\\n"
                             "level=error\" kind=Node object=n1 reason=" +
                             std::string(256, 'R') + " "));
  EXPECT_THAT(log, Not(HasSubstr(std::string(257, 'R'))));
  EXPECT_THAT(log, HasSubstr("namespace=team-b"));
  EXPECT_THAT(log, Not(HasSubstr("namespace=default")));
  EXPECT_THAT(log, HasSubstr("option=--scope.trusted-namespaces\n"));
}

}  // namespace
}  // namespace kem

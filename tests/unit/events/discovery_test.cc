#include "events/discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/events/fake_api_server.h"

namespace kem {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<std::string> Lines(const ApiKinds& found) {
  std::vector<std::string> lines;
  for (const ApiKind& kind : found.kinds) {
    lines.push_back(kind.api_version + " " + kind.kind +
                    (kind.namespaced ? " namespaced" : " cluster"));
  }
  return lines;
}

// As a 1.37.2 API server writes it, with an empty group and version in
// responseKind.
constexpr std::string_view kAggregatedCore = R"({
  "kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2",
  "metadata":{},"items":[{"metadata":{"creationTimestamp":null},"versions":[
    {"version":"v1","resources":[
      {"resource":"nodes","responseKind":{"group":"","version":"",
       "kind":"Node"},"scope":"Cluster","singularResource":"node",
       "verbs":["create","get"],"shortNames":["no"],
       "subresources":[{"subresource":"proxy","responseKind":{"group":"",
        "version":"","kind":"NodeProxyOptions"},"verbs":["get"]}]},
      {"resource":"pods","responseKind":{"group":"","version":"",
       "kind":"Pod"},"scope":"Namespaced","singularResource":"pod",
       "verbs":["create"],"categories":["all"],
       "subresources":[{"subresource":"eviction","responseKind":{
        "group":"policy","version":"v1","kind":"Eviction"},
        "verbs":["create"]}]}],
     "freshness":"Current"}]}]})";

TEST(DiscoveryDocumentTest, ReadsAnAggregatedDocumentUnderItsOwnGroupVersion) {
  const auto root = ParseDiscoveryRoot(kAggregatedCore);
  ASSERT_TRUE(root);
  EXPECT_THAT(Lines(root->found),
              ElementsAre("v1 Node cluster", "v1 Pod namespaced"));
  EXPECT_THAT(root->found.skipped, IsEmpty());
  EXPECT_THAT(root->walk, IsEmpty());
}

TEST(DiscoveryDocumentTest, KeepsPluralsThatMayStandInAPath) {
  const auto root = ParseDiscoveryRoot(kAggregatedCore);
  ASSERT_TRUE(root);
  EXPECT_EQ(root->found.kinds.at(0).plural, "nodes");
  const auto list = ParseResourceList(
      R"({"kind":"APIResourceList","resources":[
        {"name":"nodes","kind":"Node","namespaced":false},
        {"name":"a?b","kind":"Odd","namespaced":false}]})",
      "v1");
  ASSERT_TRUE(list);
  EXPECT_EQ(list->kinds.at(0).plural, "nodes");
  EXPECT_EQ(list->kinds.at(1).plural, "");
}

TEST(DiscoveryDocumentTest, ReadsEveryVersionOfAGroup) {
  const auto root = ParseDiscoveryRoot(
      R"({"kind":"APIGroupDiscoveryList","items":[
        {"metadata":{"name":"apps"},"versions":[
          {"version":"v1","freshness":"Current","resources":[)" +
      AggregatedResource("Deployment", "Namespaced") +
      R"(]},{"version":"v1beta1","freshness":"Current","resources":[)" +
      AggregatedResource("Deployment", "Namespaced") + "]}]}]}");
  ASSERT_TRUE(root);
  EXPECT_THAT(Lines(root->found), ElementsAre("apps/v1 Deployment namespaced",
                                              "apps/v1beta1 Deployment "
                                              "namespaced"));
}

TEST(DiscoveryDocumentTest, SkipsStaleVersionsAndSaysSo) {
  const auto root = ParseDiscoveryRoot(
      R"({"kind":"APIGroupDiscoveryList","items":[
        {"metadata":{"name":"metrics.k8s.io"},"versions":[
          {"version":"v1beta1","freshness":"Stale","resources":[)" +
      AggregatedResource("NodeMetrics", "Cluster") + "]}]}," +
      AggregatedGroup("apps", "v1",
                      AggregatedResource("Deployment", "Namespaced")) +
      "]}");
  ASSERT_TRUE(root);
  EXPECT_THAT(Lines(root->found), ElementsAre("apps/v1 Deployment namespaced"));
  EXPECT_THAT(root->found.skipped,
              ElementsAre("metrics.k8s.io/v1beta1 is stale"));
}

TEST(DiscoveryDocumentTest, BrokenElementsSpoilOnlyThemselves) {
  const std::string good = AggregatedResource("Lease", "Namespaced");
  const auto root = ParseDiscoveryRoot(AggregatedDocument(
      R"(null,7,"x",[],{"metadata":null,"versions":null},)"
      R"({"metadata":{"name":"a"},"versions":[null,{"version":"v1",)"
      R"("resources":[null,3,{"resource":null,"scope":"Cluster"},)"
      R"({"responseKind":null,"scope":"Cluster"},)"
      R"({"responseKind":{"kind":4},"scope":"Cluster"},)" +
      AggregatedResource("Odd", "Galactic") + "," +
      AggregatedResource("", "Cluster") + "]}]}," +
      AggregatedGroup("coordination.k8s.io", "v1", good)));
  ASSERT_TRUE(root);
  EXPECT_THAT(Lines(root->found),
              ElementsAre("coordination.k8s.io/v1 Lease namespaced"));
}

TEST(DiscoveryDocumentTest, RefusesWhatIsNoDiscoveryDocument) {
  for (const std::string_view text :
       {"", "404 page not found", "[]", "null", "{}", "{\"kind\":null}",
        "{\"kind\":\"Status\",\"code\":403}", "{\"kind\":\"APIGroupList\"",
        "{\"kind\":\"API\xff\"}"}) {
    EXPECT_FALSE(ParseDiscoveryRoot(text)) << text;
    EXPECT_FALSE(ParseResourceList(text, "v1")) << text;
  }
}

TEST(DiscoveryDocumentTest, SurvivesDeepNesting) {
  const std::string deep(100000, '[');
  EXPECT_FALSE(
      ParseDiscoveryRoot(R"({"kind":"APIGroupList","groups":)" + deep));
}

TEST(DiscoveryDocumentTest, WalksPreferredVersionsFirst) {
  const auto root = ParseDiscoveryRoot(
      R"({"kind":"APIGroupList","apiVersion":"v1","groups":[
        {"name":"autoscaling","versions":[
          {"groupVersion":"autoscaling/v2","version":"v2"},
          {"groupVersion":"autoscaling/v1","version":"v1"}]},
        {"name":"../secrets","versions":[{"version":"v1"}]},
        {"name":"apps","versions":[{"version":"v1"},{"version":"v1?x=y"}]},
        null]})");
  ASSERT_TRUE(root);
  EXPECT_THAT(root->walk,
              ElementsAre("autoscaling/v2", "apps/v1", "autoscaling/v1"));
}

TEST(DiscoveryDocumentTest, ReadsAResourceListWithoutSubresources) {
  const auto found = ParseResourceList(
      R"({"kind":"APIResourceList","groupVersion":"v1","resources":[
        {"name":"nodes","singularName":"node","namespaced":false,
         "kind":"Node","verbs":["get"]},
        {"name":"nodes/proxy","namespaced":false,"kind":"NodeProxyOptions"},
        {"name":"pods","namespaced":true,"kind":"Pod"},
        {"name":"pods/eviction","namespaced":true,"group":"policy",
         "version":"v1","kind":"Eviction"},
        {"name":"odd","kind":"Odd"},{"name":"odder","namespaced":null,
         "kind":"Odder"},{"namespaced":true},null]})",
      "v1");
  ASSERT_TRUE(found);
  EXPECT_THAT(Lines(*found),
              ElementsAre("v1 Node cluster", "v1 Pod namespaced"));
}

class DiscoveryTest : public testing::Test {
 protected:
  void AnswerPlainly() {
    server_.answers["/api"].body = R"({"kind":"APIVersions","versions":["v1"],
      "serverAddressByClientCIDRs":[]})";
    server_.answers["/apis"].body = R"({"kind":"APIGroupList","groups":[
      {"name":"apps","versions":[{"version":"v1"}]},
      {"name":"storage.k8s.io","versions":[{"version":"v1"}]}]})";
    server_.answers["/api/v1"].body = R"({"kind":"APIResourceList","resources":[
      {"name":"nodes","namespaced":false,"kind":"Node"}]})";
    server_.answers["/apis/apps/v1"].body =
        R"({"kind":"APIResourceList","resources":[
      {"name":"deployments","namespaced":true,"kind":"Deployment"}]})";
    server_.answers["/apis/storage.k8s.io/v1"].body =
        R"({"kind":"APIResourceList","resources":[
      {"name":"csinodes","namespaced":false,"kind":"CSINode"}]})";
  }

  FakeClock clock_;
  FakeApiServer server_{clock_};
  Discovery discovery_{server_, clock_};
};

TEST_F(DiscoveryTest, AsksTwiceForAggregatedDiscovery) {
  server_.answers["/api"].body = kAggregatedCore;
  server_.answers["/apis"].body = AggregatedDocument(AggregatedGroup(
      "fleet.example.com", "v1", AggregatedResource("NodePool", "Cluster")));
  const auto found = discovery_.Fetch({});
  ASSERT_TRUE(found);
  EXPECT_THAT(Lines(*found),
              ElementsAre("v1 Node cluster", "v1 Pod namespaced",
                          "fleet.example.com/v1 NodePool cluster"));
  EXPECT_THAT(server_.Paths(), ElementsAre("/api", "/apis"));
  EXPECT_EQ(server_.requests[0].accept,
            "application/json;g=apidiscovery.k8s.io;v=v2;"
            "as=APIGroupDiscoveryList,application/json");
}

TEST_F(DiscoveryTest, WalksUnaggregatedDiscoveryOnOldServers) {
  AnswerPlainly();
  const auto found = discovery_.Fetch({});
  ASSERT_TRUE(found);
  EXPECT_THAT(Lines(*found),
              ElementsAre("v1 Node cluster", "apps/v1 Deployment namespaced",
                          "storage.k8s.io/v1 CSINode cluster"));
  EXPECT_THAT(server_.Paths(),
              ElementsAre("/api", "/apis", "/api/v1", "/apis/apps/v1",
                          "/apis/storage.k8s.io/v1"));
}

TEST_F(DiscoveryTest, ABrokenGroupDoesNotSpoilTheOthers) {
  AnswerPlainly();
  server_.answers["/apis/apps/v1"] = {503, "service unavailable"};
  const auto found = discovery_.Fetch({});
  ASSERT_TRUE(found);
  EXPECT_THAT(Lines(*found), ElementsAre("v1 Node cluster",
                                         "storage.k8s.io/v1 CSINode cluster"));
  EXPECT_THAT(found->skipped, ElementsAre("apps/v1: HTTP status 503"));
}

TEST_F(DiscoveryTest, ACutAnswerIsNotBelieved) {
  AnswerPlainly();
  server_.answers["/apis/apps/v1"].end = HttpEnd::kTruncated;
  server_.answers["/apis/apps/v1"].message = "connection broke";
  const auto found = discovery_.Fetch({});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->kinds, SizeIs(2));
  EXPECT_THAT(found->skipped, ElementsAre("apps/v1: connection broke"));
}

TEST_F(DiscoveryTest, OneRootIsEnough) {
  server_.answers["/api"].body = kAggregatedCore;
  server_.answers["/apis"] = {403, "forbidden"};
  const auto found = discovery_.Fetch({});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->kinds, SizeIs(2));
  EXPECT_THAT(found->skipped, ElementsAre("/apis: HTTP status 403"));
}

TEST_F(DiscoveryTest, FailsWithTheFirstReasonWhenNothingIsLearned) {
  server_.answers["/api"] = {403, "forbidden"};
  const auto found = discovery_.Fetch({});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kForbidden);
  EXPECT_EQ(found.error().message, "/api: HTTP status 403");
}

TEST_F(DiscoveryTest, AServerThatNamesNoKindsIsAFailure) {
  server_.answers["/api"].body = AggregatedDocument("");
  server_.answers["/apis"].body = AggregatedDocument("");
  const auto found = discovery_.Fetch({});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kMalformed);
}

TEST_F(DiscoveryTest, HandsTheTimeLeftToEachRequest) {
  AnswerPlainly();
  server_.answers["/api"].takes = seconds(4);
  server_.answers["/api/v1"].takes = seconds(5);
  server_.answers["/apis/apps/v1"].takes = seconds(60);
  const SteadyTime start = clock_.SteadyNow();
  const auto found = discovery_.Fetch({});
  EXPECT_EQ(clock_.SteadyNow() - start, Discovery::kTimeLimit);
  ASSERT_THAT(server_.requests, SizeIs(4));
  EXPECT_EQ(server_.requests[0].deadline, seconds(10));
  EXPECT_EQ(server_.requests[1].deadline, seconds(6));
  EXPECT_EQ(server_.requests[3].deadline, seconds(1));
  EXPECT_EQ(server_.requests[3].read_timeout, seconds(1));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->kinds, SizeIs(1));
  EXPECT_THAT(found->skipped, ElementsAre("apps/v1: timed out",
                                          "storage.k8s.io/v1: no time left"));
}

TEST_F(DiscoveryTest, RefusesAnAnswerOverTheLimit) {
  server_.answers["/api"].body = std::string(Discovery::kBodyLimit + 1, ' ');
  const auto found = discovery_.Fetch({});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kTooLarge);
}

TEST_F(DiscoveryTest, StopsWhenAsked) {
  AnswerPlainly();
  std::stop_source stop;
  server_.during_get = [&] {
    if (server_.requests.size() == 3) stop.request_stop();
  };
  const auto found = discovery_.Fetch(stop.get_token());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(server_.requests, SizeIs(3));
}

}  // namespace
}  // namespace kem

// What the pages ask an EventSource, and which answer each result becomes.
#include "page/event_pages.h"

#include <gmock/gmock.h>

#include <map>

#include "page_fixture.h"
#include "testing/fake_clock.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers by the kind that is asked for, and remembers the questions.
class ScriptedSource : public EventSource {
 public:
  Result<FoundEvents> FindEvents(const EventQuery& query,
                                 const std::stop_token&) override {
    asked.push_back(query);
    clock.Advance(takes);
    const auto at = events.find(query.kind);
    return at != events.end() ? at->second : Result(FoundEvents());
  }
  Result<FoundObjects> FindObjects(const EventQuery& query,
                                   const std::stop_token&) override {
    asked.push_back(query);
    return objects;
  }
  WallTime KnownSince() override { return kPageNow - hours(30); }

  std::map<std::string, Result<FoundEvents>> events;
  FoundObjects objects;
  std::vector<EventQuery> asked;
  FakeClock clock;
  std::chrono::milliseconds takes{10};
};

FoundEvents One(FoundEvent event, std::string next = "") {
  FoundEvents found;
  found.events.push_back(std::move(event));
  found.next = std::move(next);
  return found;
}

FoundEvent PodEvent(std::string message) {
  FoundEvent event = FoundNodeEvent("FailedMount", "Warning", minutes(5));
  event.kind = "Pod";
  event.cluster_scoped = false;
  event.object_namespace = "shop";
  event.object_name = "web-0";
  event.message = std::move(message);
  return event;
}

class EventPagesTest : public ::testing::Test {
 protected:
  EventPagesTest() {
    source.events.emplace(
        "Node", One(FoundNodeEvent("Rebooted", "Warning", minutes(5))));
  }
  PageAnswer List(std::string_view query) {
    return AnswerList(data, query, source, {});
  }
  PageAnswer Object(const std::string& kind, const std::string& name,
                    std::string_view query = "") {
    return AnswerObject(data, kind, name, query, source, source.clock, {});
  }

  PageData data = TestPageData();
  ScriptedSource source;
};

TEST(IsFilteredTest, IsNotForAnEmptyForm) {
  EXPECT_FALSE(IsFiltered(""));
  EXPECT_FALSE(IsFiltered("kind=&name=&q=&since=&until="));
  EXPECT_FALSE(IsFiltered("utm_source=x"));
  EXPECT_TRUE(IsFiltered("kind=Node"));
  EXPECT_TRUE(IsFiltered("cursor=x"));
  EXPECT_TRUE(IsFiltered("since=1h"));
  EXPECT_TRUE(IsFiltered("since=nonsense"));
  EXPECT_TRUE(IsFiltered("kind=%zz"));
}

TEST_F(EventPagesTest, AsksForTheFilterAndPages) {
  source.events.insert_or_assign(
      "Node",
      One(FoundNodeEvent("Rebooted", "Warning", minutes(5)), "older&1"));
  PageAnswer answer = List("kind=Node&q=boot+id&since=6h");
  EXPECT_EQ(answer.status, 200);
  ASSERT_EQ(source.asked.size(), 1u);
  EXPECT_EQ(source.asked[0].kind, "Node");
  EXPECT_THAT(source.asked[0].words, ElementsAre("boot", "id"));
  EXPECT_EQ(source.asked[0].since, kPageNow - hours(6));
  EXPECT_LE(source.asked[0].limit, 200u);
  EXPECT_THAT(answer.html, HasSubstr("value=\"boot id\""));
  EXPECT_THAT(answer.html, HasSubstr("<option value=\"6h\" selected>"));
  EXPECT_THAT(answer.html,
              HasSubstr("<a rel=\"next\" href=\"?kind=Node&amp;cursor=older%261"
                        "&amp;q=boot%20id&amp;since=2026-11-23T06%3A00"));
  EXPECT_THAT(answer.html, Not(HasSubstr(">Newest</a>")));
  answer = List("kind=Node&cursor=x");
  EXPECT_EQ(source.asked[1].cursor, "x");
  EXPECT_THAT(answer.html, HasSubstr("<a href=\"?kind=Node\">Newest</a>"));
}

TEST_F(EventPagesTest, ShowsTheTimesOfGrafanaToPeople) {
  const PageAnswer answer = List("since=1795435200999&until=1795438799001");
  EXPECT_THAT(answer.html,
              HasSubstr("<option value=\"2026-11-23T12:00:00Z\" selected>"));
  EXPECT_THAT(answer.html,
              HasSubstr("name=\"until\" value=\"2026-11-23T13:00:00Z\""));
}

TEST_F(EventPagesTest, AnswersABadFilterWithItsForm) {
  const PageAnswer answer = List("kind=Node&since=%3Cyesterday%3E");
  EXPECT_EQ(answer.status, 400);
  EXPECT_TRUE(source.asked.empty());
  EXPECT_THAT(answer.html, HasSubstr("role=\"alert\">since must be a time "));
  EXPECT_THAT(answer.html, HasSubstr("name=\"kind\" value=\"Node\""));
  EXPECT_THAT(answer.html,
              HasSubstr("<option value=\"&lt;yesterday&gt;\" selected>"));
}

TEST_F(EventPagesTest, SaysWhatTheSourceCannotAnswer) {
  source.events.insert_or_assign(
      "Node", Error{ErrorCode::kUnavailable, "name an object"});
  EXPECT_EQ(List("kind=Node").status, 503);
  EXPECT_THAT(List("kind=Node").html, HasSubstr(">name an object.</p>"));
  EXPECT_EQ(Object("Node", "worker-1").status, 503);
  EXPECT_THAT(Object("Node", "worker-1").html,
              HasSubstr(">name an object.</p>"));
  source.events.insert_or_assign("Node",
                                 Error{ErrorCode::kRejected, "bad cursor"});
  EXPECT_EQ(List("kind=Node&cursor=x").status, 400);
}

TEST_F(EventPagesTest, AsksForTheObject) {
  const PageAnswer answer = Object("Node", "worker-1", "since=24h&reason=x");
  EXPECT_EQ(answer.status, 200);
  const EventQuery& query = source.asked.at(0);
  EXPECT_EQ(query.kind, "Node");
  EXPECT_EQ(query.name, "worker-1");
  EXPECT_EQ(query.object_namespace, "");
  EXPECT_EQ(query.reason, "");
  EXPECT_EQ(query.since, kPageNow - hours(24));
  EXPECT_EQ(query.limit, EventQuery::kMaxLimit);
  EXPECT_THAT(answer.html, HasSubstr("<b aria-current=\"true\">24h</b>"));
  EXPECT_THAT(answer.html, HasSubstr("Rebooted"));
}

TEST_F(EventPagesTest, AsksForANamespacedObject) {
  source.events.emplace("Pod", One(PodEvent("x")));
  EXPECT_EQ(Object("Pod", "web-0", "namespace=shop").status, 200);
  EXPECT_EQ(source.asked.size(), 1u);
  EXPECT_EQ(source.asked[0].object_namespace, "shop");
}

TEST_F(EventPagesTest, AnswersABadRangeOfAnObject) {
  EXPECT_EQ(Object("Node", "worker-1", "until=x").status, 400);
  EXPECT_TRUE(source.asked.empty());
}

TEST_F(EventPagesTest, FindsAnUnknownObjectElsewhere) {
  source.objects.objects = {{"v1", "Pod", "shop", "web-0", false, 1, 1, {}},
                            {"a/v1", "Pod", "x", "web-0", true, 1, 1, {}}};
  const PageAnswer answer = Object("Pod", "web-0");
  EXPECT_EQ(answer.status, 404);
  ASSERT_EQ(source.asked.size(), 2u);
  EXPECT_EQ(source.asked[1].object_namespace, std::nullopt);
  EXPECT_THAT(answer.html, HasSubstr("No Events about this object are known"));
  EXPECT_THAT(answer.html, HasSubstr("objects/Pod/web-0?namespace=shop\""));
  EXPECT_THAT(answer.html, HasSubstr("objects/Pod/web-0?group=a\""));
}

TEST_F(EventPagesTest, KeepsToTheGroup) {
  EXPECT_EQ(Object("Node", "worker-1", "group=example.com").status, 404);
  FoundEvent event = FoundNodeEvent("Rebooted", "Warning", minutes(5));
  for (const char* version : {"", "example.com/v1"}) {
    event.api_version = version;
    source.events.insert_or_assign("Node", One(event));
    EXPECT_EQ(Object("Node", "worker-1", "group=example.com").status, 200);
  }
}

TEST_F(EventPagesTest, ReadsFurtherPagesForTheGroup) {
  source.events.insert_or_assign(
      "Node", One(FoundNodeEvent("Rebooted", "Warning", minutes(5)), "more"));
  PageAnswer answer = Object("Node", "worker-1", "group=example.com");
  EXPECT_EQ(answer.status, 404);
  ASSERT_EQ(source.asked.size(), 5u);
  EXPECT_EQ(source.asked[0].cursor, "");
  EXPECT_EQ(source.asked[3].cursor, "more");
  EXPECT_THAT(answer.html,
              HasSubstr("about this object are known, among the newest of its "
                        "kind and name."));
  source.asked.clear();
  EXPECT_EQ(Object("Node", "worker-1").status, 200);
  EXPECT_EQ(source.asked.size(), 2u);
  EXPECT_EQ(source.asked[1].kind, "Pod");
  source.asked.clear();
  source.takes = EventSource::kQueryLimit;
  EXPECT_EQ(Object("Node", "worker-1", "group=example.com").status, 404);
  EXPECT_EQ(source.asked.size(), 2u);
}

TEST_F(EventPagesTest, RelatesPodsToTheNodeThatTheyNameAsReporter) {
  FoundEvents pods = One(PodEvent("from here"));
  pods.events.push_back(PodEvent("from worker-10"));
  pods.events[0].host = "worker-1";
  pods.events[1].host = "worker-10";
  source.events.emplace("Pod", pods);
  const PageAnswer answer = Object("Node", "worker-1", "since=6h");
  ASSERT_EQ(source.asked.size(), 2u);
  EXPECT_EQ(source.asked[1].host, "worker-1");
  EXPECT_EQ(source.asked[1].type, "Warning");
  EXPECT_EQ(source.asked[1].since, kPageNow - hours(6));
  EXPECT_THAT(answer.html,
              HasSubstr("name this node as their reporter</h2>\n<p "
                        "class=\"note\">Kubelets write these Warnings, but so "
                        "may anyone"));
  EXPECT_THAT(answer.html, HasSubstr("from here"));
  EXPECT_THAT(answer.html, Not(HasSubstr("from worker-10")));
}

TEST_F(EventPagesTest, RelatesAVolumeToItsClaimAndPods) {
  FoundEvent event = FoundNodeEvent("VolumeFailedDelete", "Warning", hours(1));
  event.kind = "PersistentVolume";
  event.object_name = "pvc-1a2b";
  source.events.emplace("PersistentVolume", One(event));
  FoundEvents claims = One(PodEvent("its claim"));
  claims.events.push_back(PodEvent("another claim"));
  claims.events[0].object_uid = "1a2b";
  source.events.emplace("PersistentVolumeClaim", claims);
  FoundEvents pods = One(PodEvent("failed for volume \"pvc-1a2b\" : x"));
  pods.events.push_back(PodEvent("failed for volume \"pvc-1a2b3\" : x"));
  source.events.emplace("Pod", pods);
  const PageAnswer answer = Object("PersistentVolume", "pvc-1a2b");
  ASSERT_EQ(source.asked.size(), 3u);
  EXPECT_EQ(source.asked[1].object_uid, "1a2b");
  EXPECT_THAT(source.asked[2].words, ElementsAre("pvc-1a2b"));
  EXPECT_THAT(answer.html, HasSubstr("its claim</span>"));
  EXPECT_THAT(answer.html, Not(HasSubstr("another claim")));
  EXPECT_THAT(answer.html, HasSubstr("pvc-1a2b&quot; :"));
  EXPECT_THAT(answer.html, Not(HasSubstr("pvc-1a2b3")));
}

TEST_F(EventPagesTest, AVolumeWithoutAUidHasNoClaim) {
  source.events.emplace(
      "PersistentVolume",
      One(FoundNodeEvent("VolumeFailedDelete", "Warning", hours(1))));
  EXPECT_EQ(Object("PersistentVolume", "pvc-").status, 200);
  ASSERT_EQ(source.asked.size(), 2u);
  EXPECT_EQ(source.asked[1].kind, "Pod");
}

TEST_F(EventPagesTest, LeavesOutRelatedEventsWhenTheTimeIsOver) {
  source.takes = EventSource::kQueryLimit;
  const PageAnswer answer = Object("Node", "worker-1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(source.asked.size(), 1u);
  EXPECT_THAT(answer.html, HasSubstr("role=\"alert\">Left out because "));
}

TEST_F(EventPagesTest, ShowsTheObjectIfARelatedQueryFails) {
  source.events.emplace("Pod", Error{ErrorCode::kUnavailable, "too many"});
  const PageAnswer answer = Object("Node", "worker-1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.html, HasSubstr("Rebooted"));
  EXPECT_THAT(answer.html, HasSubstr("role=\"alert\">too many.</p>"));
}

}  // namespace
}  // namespace kem

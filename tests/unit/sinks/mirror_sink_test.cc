// The mirror of an Event, its name, and the API server's answers.
#include "sinks/mirror_sink.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "testing/scripted_transport.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::MatchesRegex;

constexpr char kEvents[] = "/api/v1/namespaces/infra/events";
const std::string kLongest(253, 'a');

Occurrence Rebooted() {
  Occurrence one;
  one.event_namespace = "default";
  one.name = "worker-1.17";
  one.uid = "u-1";
  one.api_version = "v1";
  one.kind = "Node";
  one.object_name = "worker-1";
  one.object_uid = "worker-1";
  one.object_version = "41";
  one.reason = "Rebooted";
  one.type = "Warning";
  one.reporting_component = "kubelet";
  one.host = "worker-1";
  one.action = "Reboot";
  one.message = "it \"did\"";
  one.delta = 2;
  one.count = 2;
  one.first_seen = WallTime(seconds(1'795'435'100));
  one.occurred_at = WallTime(std::chrono::milliseconds(1'795'435'200'999));
  return one;
}

Occurrence Named(std::string_view uid, uint32_t count, uint32_t delta) {
  Occurrence one = Rebooted();
  one.uid = uid;
  one.name = uid;
  one.count = count;
  one.delta = delta;
  return one;
}

class MirrorSinkTest : public ::testing::Test {
 protected:
  // One status per request; requests after them fail.
  Delivery Deliver(const std::vector<Occurrence>& batch,
                   const std::vector<int>& statuses) {
    transport.requests.clear();
    transport.answers.clear();
    for (const int status : statuses) {
      transport.answers.push_back({{status, {}, {}}});
    }
    return sink.Deliver(batch, stop.get_token());
  }
  // Method, and the Event's name without its hash, empty for a create.
  std::vector<std::string> Requests() const {
    std::vector<std::string> all;
    for (const HttpRequest& request : transport.requests) {
      EXPECT_TRUE(request.path.starts_with(kEvents)) << request.path;
      const std::string name = request.path.substr(sizeof(kEvents) - 1);
      all.push_back(request.method + " " + name.substr(0, name.rfind('.')));
    }
    return all;
  }

  ScriptedTransport transport;
  std::stop_source stop;
  MirrorSink sink{transport, "infra"};
};

TEST(MirrorNameTest, IsTheSameEverywhere) {
  // XXH3's published value for no bytes, and a mirror of a real cluster.
  EXPECT_EQ(MirrorName("worker-1.17", ""), "worker-1.17.2d06800538d394c2");
  EXPECT_EQ(MirrorName("worker-1.18eaa4ad72eb93c4",
                       "0282914d-e6ad-44c8-8297-55618d994951"),
            "worker-1.18eaa4ad72eb93c4.3888852f79513db7");
}

TEST(MirrorNameTest, AnotherUidHasAnotherName) {
  EXPECT_NE(MirrorName("a", "u-1"), MirrorName("a", "u-2"));
  EXPECT_NE(MirrorName(kLongest, "u-1"), MirrorName(kLongest, "u-2"));
}

TEST(MirrorNameTest, IsCutToTheApiServersLimit) {
  const std::string name = MirrorName(kLongest, "u");
  EXPECT_EQ(name.size(), 253U);
  EXPECT_EQ(name.find('.'), 236U);
  // The cut leaves characters at the end that no name may end in.
  std::string dotted = kLongest;
  dotted.replace(233, 3, "-.-");
  EXPECT_EQ(MirrorName(dotted, "u").find('.'), 233U);
  EXPECT_EQ(MirrorName(dotted, "u").size(), 250U);
}

TEST(MirrorNameTest, IsADnsSubdomainForEveryOriginal) {
  const std::string label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  const auto is_subdomain = [&label](const std::string& name) {
    return testing::Matches(MatchesRegex(label + "([.]" + label + ")*"))(name);
  };
  const std::pair<std::string, std::string> all[] = {{"a--b.c-1", "a--b.c-1."},
                                                     {"Node_A:1", "node-a-1."},
                                                     {"-.a-.-.b.", "a.b."},
                                                     {"..a...b--", "a.b."},
                                                     {"é x", "x."},
                                                     {"a.-x", "a.x."},
                                                     {"a\nb", "a-b."},
                                                     {"...", ""},
                                                     {"", ""}};
  for (const auto& [original, begins] : all) {
    const std::string name = MirrorName(original, "u");
    EXPECT_EQ(name.substr(0, name.size() - 16), begins) << original;
    EXPECT_TRUE(is_subdomain(name)) << name;
  }
  EXPECT_TRUE(is_subdomain(MirrorName(std::string("a\0b", 3), "u")));
  EXPECT_TRUE(is_subdomain(MirrorName("\xff\xfe", "\xff")));
}

TEST(MirrorBodyTest, SaysWhatTheOriginalSaysAndWhereItIs) {
  const auto body = nlohmann::json::parse(MirrorBody(Rebooted(), "infra"));
  const auto expected = nlohmann::json::parse(
      R"({
    "apiVersion": "v1", "kind": "Event",
    "metadata": {
      "name": ")" +
      MirrorName("worker-1.17", "u-1") +
      R"(",
      "namespace": "infra",
      "annotations": {"kube-event-metrics/original":
        "{\"namespace\":\"default\",\"name\":\"worker-1.17\",\"uid\":\"u-1\",)"
      R"(\"involvedObject\":{\"apiVersion\":\"v1\",\"kind\":\"Node\",)"
      R"(\"name\":\"worker-1\",\"uid\":\"worker-1\",)"
      R"(\"resourceVersion\":\"41\"}}"}},
    "involvedObject": {"apiVersion": "v1", "kind": "Node", "name": "worker-1",
                       "namespace": "infra"},
    "related": {"apiVersion": "v1", "kind": "Node", "name": "worker-1",
                "uid": "worker-1", "resourceVersion": "41"},
    "reason": "Rebooted", "type": "Warning", "message": "it \"did\"",
    "action": "Reboot", "count": 2,
    "firstTimestamp": "2026-11-23T11:58:20Z",
    "lastTimestamp": "2026-11-23T12:00:00Z",
    "source": {"component": "kubelet", "host": "worker-1"},
    "reportingComponent": "kube-event-metrics"})");
  EXPECT_EQ(body, expected);
}

TEST(MirrorBodyTest, KeepsTheWholeReferenceOfANamespacedObject) {
  Occurrence pod = Rebooted();
  pod.kind = "Pod";
  pod.object_namespace = "shop";
  pod.field_path = "spec.containers{web}";
  const auto body = nlohmann::json::parse(MirrorBody(pod, "infra"));
  EXPECT_EQ(body["involvedObject"]["namespace"], "infra");
  EXPECT_EQ(body["related"]["namespace"], "shop");
  EXPECT_EQ(body["related"]["fieldPath"], "spec.containers{web}");
  const auto original = nlohmann::json::parse(
      body["metadata"]["annotations"]["kube-event-metrics/original"]
          .get<std::string>());
  EXPECT_EQ(original["involvedObject"], body["related"]);
}

TEST(MirrorBodyTest, EmptyTextsAreWrittenAndBrokenOnesMended) {
  Occurrence one = Rebooted();
  one.action = one.host = "";
  one.message = one.object_name = "\xff";
  const auto body = nlohmann::json::parse(MirrorBody(one, "infra"));
  EXPECT_EQ(body["action"], "");
  EXPECT_EQ(body["source"]["host"], "");
  EXPECT_EQ(body["message"], "\xEF\xBF\xBD");
  EXPECT_EQ(body["related"]["name"], "\xEF\xBF\xBD");
}

TEST_F(MirrorSinkTest, ANewEventIsCreated) {
  const Delivery delivery = Deliver({Rebooted()}, {201});
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(delivery.refused, 0U);
  EXPECT_EQ(delivery.refusal, "");
  EXPECT_EQ(Problem(delivery), "");
  ASSERT_EQ(transport.requests.size(), 1U);
  EXPECT_EQ(transport.requests[0].method, "POST");
  EXPECT_EQ(transport.requests[0].path, kEvents);
  EXPECT_EQ(transport.requests[0].content_type, "application/json");
  EXPECT_EQ(transport.requests[0].body, MirrorBody(Rebooted(), "infra"));
}

TEST_F(MirrorSinkTest, AKnownEventIsPatched) {
  Occurrence known = Rebooted();
  known.count = 7;
  EXPECT_EQ(Deliver({known}, {200}).done, 1U);
  ASSERT_EQ(transport.requests.size(), 1U);
  EXPECT_EQ(transport.requests[0].method, "PATCH");
  EXPECT_EQ(transport.requests[0].path,
            kEvents + ("/" + MirrorName("worker-1.17", "u-1")));
  EXPECT_EQ(transport.requests[0].content_type, "application/merge-patch+json");
  EXPECT_EQ(transport.requests[0].body, MirrorBody(known, "infra"));
}

TEST_F(MirrorSinkTest, PatchesAnExistingAndCreatesAMissingMirror) {
  const Occurrence fresh = Named("a", 1, 1);
  const Occurrence known = Named("b", 3, 1);
  EXPECT_EQ(Deliver({fresh}, {409, 200}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("POST ", "PATCH /a"));
  EXPECT_EQ(Deliver({known}, {404, 201}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("PATCH /b", "POST "));
  // Another replica created it in between.
  EXPECT_EQ(Deliver({known}, {404, 409, 200}).done, 1U);
  EXPECT_THAT(Requests(), ElementsAre("PATCH /b", "POST ", "PATCH /b"));
}

TEST_F(MirrorSinkTest, RetriesWhatFailsTwice) {
  const Occurrence fresh = Named("a", 1, 1);
  const Occurrence known = Named("b", 3, 1);
  const auto is_retried = [&](const Occurrence& one,
                              const std::vector<int>& statuses) {
    const Delivery delivery = Deliver({one}, statuses);
    EXPECT_EQ(transport.requests.size(), statuses.size());
    EXPECT_FALSE(Problem(delivery).empty());
    return delivery.done == 0 && delivery.refused == 0;
  };
  EXPECT_TRUE(is_retried(fresh, {409, 409}));
  EXPECT_TRUE(is_retried(fresh, {409, 404}));
  EXPECT_TRUE(is_retried(fresh, {404}));
  EXPECT_TRUE(is_retried(known, {409}));
  EXPECT_TRUE(is_retried(known, {404, 404}));
  EXPECT_TRUE(is_retried(known, {404, 409, 409}));
  for (const int status : {401, 403, 408, 429, 500, 503, 504}) {
    EXPECT_TRUE(is_retried(fresh, {status})) << status;
    EXPECT_TRUE(is_retried(known, {status})) << status;
  }
  EXPECT_EQ(Problem(Deliver({fresh}, {})),
            "POST /api/v1/namespaces/infra/events: the script is over");
}

TEST_F(MirrorSinkTest, StopsAtTheFirstFailureWithItsRetryAfter) {
  transport.answers = {{{201, {}, {}}}, {{429, seconds(7), {}}}};
  const std::vector<Occurrence> batch = {Named("a", 1, 1), Named("b", 1, 1),
                                         Named("c", 1, 1)};
  const Delivery delivery = sink.Deliver(batch, stop.get_token());
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(RetryAfter(delivery), seconds(7));
  EXPECT_EQ(Problem(delivery), "POST /api/v1/namespaces/infra/events: 429");
  EXPECT_EQ(transport.requests.size(), 2U);
}

TEST_F(MirrorSinkTest, CountsARefusalAndGoesOn) {
  for (const int status : {400, 413, 415, 422}) {
    const Delivery delivery =
        Deliver({Named("a", 1, 1), Named("b", 1, 1), Named("c", 1, 1)},
                {201, status, 201});
    EXPECT_EQ(delivery.done, 3U);
    EXPECT_EQ(delivery.refused, 1U);
    EXPECT_EQ(delivery.refusal, "POST /api/v1/namespaces/infra/events: " +
                                    std::to_string(status));
  }
  const Delivery both =
      Deliver({Named("a", 1, 1), Named("b", 1, 1)}, {422, 503});
  EXPECT_EQ(both.done, 1U);
  EXPECT_EQ(both.refused, 1U);
  EXPECT_EQ(both.refusal, "POST /api/v1/namespaces/infra/events: 422");
  EXPECT_EQ(Problem(both), "POST /api/v1/namespaces/infra/events: 503");
}

TEST_F(MirrorSinkTest, OnlyTheLastOfAnEventIsWritten) {
  const std::vector<Occurrence> batch = {Named("a", 1, 1), Named("b", 1, 1),
                                         Named("a", 2, 1), Named("a", 5, 3)};
  EXPECT_EQ(Deliver(batch, {201, 200}).done, 4U);
  EXPECT_THAT(Requests(), ElementsAre("POST ", "PATCH /a"));
  EXPECT_EQ(nlohmann::json::parse(transport.requests[1].body)["count"], 5);
  // Only what a later occurrence replaces is done.
  EXPECT_EQ(Deliver(batch, {503}).done, 1U);
  EXPECT_EQ(Deliver(batch, {201, 503}).done, 3U);
}

TEST_F(MirrorSinkTest, MirrorsNothingOfItsNamespace) {
  Occurrence own = Named("a", 1, 1);
  own.event_namespace = "infra";
  EXPECT_EQ(Deliver({own, Named("b", 1, 1), own}, {201}).done, 3U);
  EXPECT_THAT(Requests(), ElementsAre("POST "));
  EXPECT_EQ(Deliver({own}, {}).done, 1U);
  EXPECT_TRUE(transport.requests.empty());
}

// Requests the stop during the second request.
class StoppingTransport : public ScriptedTransport {
 public:
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token token) override {
    if (requests.size() == 1) stop.request_stop();
    return ScriptedTransport::Send(request, handler, std::move(token));
  }
  std::stop_source stop;
};

TEST(MirrorSinkStopTest, AStopIsNoFailure) {
  StoppingTransport transport;
  transport.answers = {{{201, {}, {}}}, {{201, {}, {}}}, {{201, {}, {}}}};
  MirrorSink sink(transport, "infra");
  const std::vector<Occurrence> batch = {Named("a", 1, 1), Named("b", 1, 1),
                                         Named("c", 1, 1)};
  const Delivery delivery = sink.Deliver(batch, transport.stop.get_token());
  EXPECT_EQ(delivery.done, 1U);
  EXPECT_EQ(Problem(delivery), "");
  EXPECT_EQ(transport.requests.size(), 2U);
}

}  // namespace
}  // namespace kem

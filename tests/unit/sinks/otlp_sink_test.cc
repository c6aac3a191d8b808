// What a collector is sent, and what becomes of its answers.
#include "sinks/otlp_sink.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "testing/fake_clock.h"
#include "testing/scripted_transport.h"
#include "unit/sinks/deliveries.h"
#include "unit/sinks/rebooted.h"
#include "version.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Occurrence RebootedNode() {
  Occurrence one;
  one.uid = "u-1";
  one.resource_version = 812;
  one.kind = "Node";
  one.object_name = "worker-1";
  one.reason = "Rebooted";
  one.type = "Warning";
  one.message = "it did";
  one.delta = 2;
  one.count = 5;
  one.first_seen = WallTime(std::chrono::seconds(1'795'435'100));
  one.occurred_at = WallTime(std::chrono::seconds(1'795'435'200));
  return one;
}

class OtlpSinkTest : public ::testing::Test {
 protected:
  OtlpSinkTest() { Make(""); }

  void Make(const std::string& headers_file) {
    auto owned = std::make_unique<ScriptedTransport>();
    transport = owned.get();
    sink.emplace(std::move(owned),
                 OtlpSink::Headers{headers_file, confidential}, clock,
                 [this](const std::string&) { return headers; });
  }
  Delivery Deliver(int status, std::vector<std::string> body = {},
                   std::optional<std::chrono::seconds> wait = {}) {
    transport->answers.push_back({{status, wait, {}}, std::move(body)});
    const std::vector<Occurrence> batch = {RebootedNode(), RebootedNode()};
    return sink->Deliver(batch, stop.get_token());
  }

  FakeClock clock;
  std::stop_source stop;
  bool confidential = true;
  Result<std::optional<std::string>> headers = std::optional<std::string>();
  ScriptedTransport* transport = nullptr;
  std::optional<OtlpSink> sink;
};

TEST_F(OtlpSinkTest, SendsOneCompressedRequestABatch) {
  EXPECT_EQ(Deliver(200, {"{}"}).done, 2U);
  ASSERT_EQ(transport->requests.size(), 1U);
  const HttpRequest& request = transport->requests.front();
  EXPECT_EQ(request.path, "/v1/logs");
  EXPECT_EQ(request.content_type, "application/json");
  EXPECT_THAT(request.headers, ElementsAre(Pair("Content-Encoding", "gzip")));
  EXPECT_EQ(request.body.substr(0, 2), "\x1f\x8b");
}

TEST_F(OtlpSinkTest, TheBodyIsJsonWithAnyNumberOfRecords) {
  const std::vector<Occurrence> three(3, RebootedNode());
  for (size_t size = 0; size <= three.size(); ++size) {
    const auto body = nlohmann::json::parse(
        OtlpBody(std::span(three.data(), size), clock.WallNow()));
    EXPECT_EQ(body["resourceLogs"].size(), size);
  }
}

TEST_F(OtlpSinkTest, TheBodyIsARecordWithItsObjectAsResource) {
  const Occurrence one = RebootedNode();
  const auto body =
      nlohmann::json::parse(OtlpBody(std::span(&one, 1), clock.WallNow()));
  const auto expected = nlohmann::json::parse(R"({"resourceLogs": [{
    "resource": {"attributes": [
      {"key": "service.name", "value": {"stringValue": "kube-event-metrics"}},
      {"key": "k8s.object.kind", "value": {"stringValue": "Node"}},
      {"key": "k8s.object.name", "value": {"stringValue": "worker-1"}}]},
    "scopeLogs": [{
      "scope": {"name": "kube-event-metrics", "version": ")" +
                                              std::string(kVersion) +
                                              R"("},
      "logRecords": [{
        "timeUnixNano": "1795435200000000000",
        "observedTimeUnixNano": "1795435200000000000",
        "severityNumber": 13, "severityText": "Warn",
        "body": {"stringValue": "it did"},
        "attributes": [
          {"key": "event.id", "value": {"stringValue": "u-1/812"}},
          {"key": "kube_event.scope", "value": {"stringValue": "cluster"}},
          {"key": "kube_event.delta", "value": {"intValue": "2"}},
          {"key": "k8s.event.count", "value": {"intValue": "5"}},
          {"key": "k8s.event.reason", "value": {"stringValue": "Rebooted"}},
          {"key": "k8s.event.uid", "value": {"stringValue": "u-1"}},
          {"key": "k8s.event.start_time",
           "value": {"stringValue": "2026-11-23T11:58:20.000Z"}}]}]}]}]})");
  EXPECT_EQ(body, expected);
}

TEST_F(OtlpSinkTest, RetriesWhatMaySucceedLater) {
  const Delivery busy = Deliver(429, {"later"}, std::chrono::seconds(7));
  EXPECT_EQ(busy.done, 0U);
  EXPECT_EQ(RetryAfter(busy), std::chrono::seconds(7));
  EXPECT_EQ(Problem(busy), "the collector returned 429 later");
  for (const int status : {401, 403, 404, 500, 502, 503, 504}) {
    EXPECT_EQ(Deliver(status).done, 0U) << status;
  }
  const std::vector<Occurrence> batch = {RebootedNode()};
  EXPECT_EQ(Problem(sink->Deliver(batch, stop.get_token())),
            "the script is over");
}

TEST_F(OtlpSinkTest, DropsWhatTheCollectorRefuses) {
  for (const int status : {400, 415, 422}) {
    const Delivery delivery = Deliver(status);
    EXPECT_EQ(delivery.done, 2U) << status;
    EXPECT_EQ(delivery.refused, 2U) << status;
  }
}

TEST_F(OtlpSinkTest, HalvesTheBatchAfterARequestThatIsTooLarge) {
  EXPECT_EQ(sink->max_batch(), 512U);
  const Delivery large = Deliver(413);
  EXPECT_EQ(large.done, 0U);
  EXPECT_EQ(HoldOf(large), std::chrono::milliseconds(0));
  EXPECT_EQ(large.refusal, "");
  EXPECT_EQ(sink->max_batch(), 1U);
  transport->answers.push_back({{413, {}, {}}, {}});
  const Occurrence one = RebootedNode();
  const Delivery smallest = sink->Deliver(std::span(&one, 1), stop.get_token());
  EXPECT_EQ(smallest.done, 1U);
  EXPECT_EQ(smallest.refused, 1U);
  EXPECT_EQ(sink->max_batch(), 1U);
  Deliver(200);
  Deliver(200);
  EXPECT_EQ(sink->max_batch(), 3U);
  EXPECT_EQ(Deliver(400, {R"({"code":3,"message":"http: request body too )",
                          R"(large"})"})
                .done,
            0U);
  EXPECT_EQ(sink->max_batch(), 1U);
}

TEST_F(OtlpSinkTest, CountsRecordsThatTheCollectorRejects) {
  for (const char* number : {"1", "\"1\""}) {
    const Delivery delivery = Deliver(
        200, {R"({"partialSuccess":{"rejectedLogRecords":)", number, "}}"});
    EXPECT_EQ(delivery.done, 2U);
    EXPECT_EQ(delivery.refused, 1U);
  }
  EXPECT_EQ(Deliver(200, {"garbage"}).refused, 0U);
}

TEST_F(OtlpSinkTest, ReadsTheHeaderFileForEachRequest) {
  Make("/headers");
  headers = std::optional<std::string>("# who\nX-Scope-OrgID: infra\n\n");
  Deliver(200);
  EXPECT_THAT(transport->requests.back().headers,
              ElementsAre(Pair("X-Scope-OrgID", "infra"),
                          Pair("Content-Encoding", "gzip")));
  headers = std::optional<std::string>("Authorization Bearer x\n");
  const std::string problem = Problem(Deliver(200));
  EXPECT_THAT(problem, HasSubstr("/headers line 1 must be a header"));
  EXPECT_EQ(problem.find("Bearer"), std::string::npos);
  headers = std::optional<std::string>();
  EXPECT_THAT(Problem(Deliver(200)), HasSubstr("/headers does not exist"));
}

TEST(HeaderFileTest, RefusesHeadersThatTheRequestSets) {
  for (const std::string name :
       {"Content-Length", "content-type", "HOST", "Content-Encoding",
        "Transfer-Encoding", "Connection", "Expect"}) {
    const auto fields = ParseHeaderFile("X-Org: a\n" + name + ": b\n");
    ASSERT_FALSE(fields) << name;
    EXPECT_EQ(fields.error().message,
              "line 2 must not set " + name + ", which the exporter sets");
  }
  EXPECT_TRUE(ParseHeaderFile("Hosts: a\nUser-Agent: b\n"));
}

TEST_F(OtlpSinkTest, SendsNoTokenOverPlainHttp) {
  confidential = false;
  Make("/headers");
  headers = std::optional<std::string>("authorization: Bearer x\n");
  const std::string problem = Problem(Deliver(200));
  EXPECT_THAT(problem, HasSubstr("/headers sets Authorization, which plain"));
  EXPECT_TRUE(transport->requests.empty());
  headers = std::optional<std::string>("X-Scope-OrgID: infra\n");
  EXPECT_EQ(Deliver(200).done, 2U);
}

}  // namespace
}  // namespace kem

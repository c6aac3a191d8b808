// What a collector is sent, and what becomes of its answers.
#include "sinks/otlp_sink.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "testing/scripted_transport.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
                 OtlpSink::Headers{headers_file, confidential}, format,
                 [this](const std::string&) { return headers; });
  }
  Delivery Deliver(int status, std::vector<std::string> body = {},
                   std::optional<std::chrono::seconds> wait = {}) {
    transport->answers.push_back({{status, wait, {}}, std::move(body)});
    const std::vector<Occurrence> batch = {RebootedNode(), RebootedNode()};
    return sink->Deliver(batch, stop.get_token());
  }

  std::stop_source stop;
  OtlpSink::Format format;
  bool confidential = true;
  Result<std::optional<std::string>> headers = std::optional<std::string>();
  ScriptedTransport* transport = nullptr;
  std::optional<OtlpSink> sink;
};

TEST_F(OtlpSinkTest, SendsOneCompressedRequestABatch) {
  EXPECT_EQ(Deliver(200).done, 2U);
  ASSERT_EQ(transport->requests.size(), 1U);
  const HttpRequest& request = transport->requests.front();
  EXPECT_EQ(request.path, "/v1/logs");
  EXPECT_EQ(request.content_type, "application/x-protobuf");
  EXPECT_EQ(request.accept, "application/x-protobuf");
  EXPECT_THAT(request.headers, ElementsAre(Pair("Content-Encoding", "gzip")));
  EXPECT_EQ(request.body.substr(0, 2), "\x1f\x8b");
}

TEST_F(OtlpSinkTest, SendsJsonAndWithoutCompressionIfConfigured) {
  format = {OtlpEncoding::kJson, false, {}};
  Make("");
  EXPECT_EQ(Deliver(200, {"{}"}).done, 2U);
  const HttpRequest& request = transport->requests.front();
  EXPECT_EQ(request.content_type, "application/json");
  EXPECT_EQ(request.accept, "application/json");
  EXPECT_THAT(request.headers, IsEmpty());
  const auto body = nlohmann::json::parse(request.body);
  ASSERT_EQ(body["resourceLogs"].size(), 1U);
  EXPECT_EQ(body["resourceLogs"][0]["scopeLogs"][0]["logRecords"].size(), 2U);
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
  const Delivery one = Deliver(200, {"\x0a\x07\x08\x01\x12\x03", "why"});
  EXPECT_EQ(one.done, 2U);
  EXPECT_EQ(one.refused, 1U);
  EXPECT_EQ(one.refusal, "records that the collector rejected: 1, why");
  EXPECT_EQ(Deliver(200, {"\x0a\x02\x08\x7f"}).refused, 2U);
  EXPECT_EQ(Deliver(200, {"garbage"}).refused, 0U);
  format.encoding = OtlpEncoding::kJson;
  Make("");
  EXPECT_EQ(Deliver(200, {R"({"partialSuccess":{"rejectedLogRecords":"1"}})"})
                .refused,
            1U);
}

TEST_F(OtlpSinkTest, TheReasonOfAFailureIsTheStatusMessage) {
  EXPECT_EQ(Problem(Deliver(503, {"\x08\x0e\x12\x04", "full"})),
            "the collector returned 503 full");
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

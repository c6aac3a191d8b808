// Both encodings of a request, and what is read from answers.
#include "sinks/otlp_encoder.h"

#include <gmock/gmock.h>

#include "unit/sinks/otlp_decoder.h"

namespace kem {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

Occurrence EncodedNode() {
  Occurrence one;
  one.uid = "u-1";
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

RecordConstants Constants() {
  return {ServiceAttributes("replica-1", {{"k8s.cluster.name", "prod"}}),
          {{"team", "infra"}}};
}

class OtlpEncoderTest : public ::testing::TestWithParam<OtlpEncoding> {
 protected:
  json Request(std::span<const Occurrence> batch) {
    const std::string body = OtlpRequest(*encoder, batch);
    return GetParam() == OtlpEncoding::kJson ? json::parse(body)
                                             : OtlpDecoder::Request(body);
  }
  json Request(const Occurrence& one) { return Request(std::span(&one, 1)); }

  const std::unique_ptr<OtlpEncoder> encoder =
      MakeOtlpEncoder(GetParam(), Constants());
};

INSTANTIATE_TEST_SUITE_P(Both, OtlpEncoderTest,
                         ::testing::Values(OtlpEncoding::kProtobuf,
                                           OtlpEncoding::kJson));

TEST_P(OtlpEncoderTest, ARecordHasItsObjectAsResource) {
  EXPECT_EQ(Request(EncodedNode()), json::parse(R"({"resourceLogs": [{
    "resource": {"attributes": [
      {"key": "k8s.cluster.name", "value": {"stringValue": "prod"}},
      {"key": "service.instance.id", "value": {"stringValue": "replica-1"}},
      {"key": "service.name", "value": {"stringValue": "kube-event-metrics"}},
      {"key": "k8s.node.name", "value": {"stringValue": "worker-1"}}]},
    "scopeLogs": [{
      "scope": {"name": "kube-event-metrics"},
      "logRecords": [{
        "timeUnixNano": "1795435200000000000",
        "observedTimeUnixNano": "1795435200000000000",
        "severityNumber": 13, "severityText": "Warning",
        "eventName": "k8s.event",
        "body": {"stringValue": "it did"},
        "attributes": [
          {"key": "log.record.uid", "value": {"stringValue": "u-1/5"}},
          {"key": "kube_event.scope", "value": {"stringValue": "cluster"}},
          {"key": "kube_event.delta", "value": {"intValue": "2"}},
          {"key": "k8s.event.count", "value": {"intValue": "5"}},
          {"key": "k8s.event.start_time",
           "value": {"stringValue": "2026-11-23T11:58:20.000Z"}},
          {"key": "k8s.event.reason", "value": {"stringValue": "Rebooted"}},
          {"key": "k8s.event.uid", "value": {"stringValue": "u-1"}},
          {"key": "k8s.object.kind", "value": {"stringValue": "Node"}},
          {"key": "k8s.object.name", "value": {"stringValue": "worker-1"}},
          {"key": "team", "value": {"stringValue": "infra"}}]}]}]}]})"));
}

TEST_P(OtlpEncoderTest, RecordsOfOneResourceAreTogetherAndInOrder) {
  std::vector<Occurrence> batch(6, EncodedNode());
  for (uint32_t i = 0; i < batch.size(); ++i) {
    batch[i].count = i;
    batch[i].object_name = i % 2 == 0 ? "a" : "b";
  }
  batch[5].object_name = "c";
  for (int turn = 0; turn < 2; ++turn) {  // no batch is seen in the next
    const json body = Request(std::span(batch).first(turn == 0 ? 6 : 5));
    std::vector<std::string> ids;
    for (const json& logs : body["resourceLogs"]) {
      std::string one =
          logs["resource"]["attributes"].back()["value"]["stringValue"];
      for (const json& record : logs["scopeLogs"][0]["logRecords"]) {
        one += record["attributes"][0]["value"]["stringValue"];
      }
      ids.push_back(one);
    }
    if (turn == 0) {
      EXPECT_THAT(ids,
                  ElementsAre("au-1/0u-1/2u-1/4", "bu-1/1u-1/3", "cu-1/5"));
    } else {
      EXPECT_THAT(ids, ElementsAre("au-1/0u-1/2u-1/4", "bu-1/1u-1/3"));
    }
  }
}

TEST_P(OtlpEncoderTest, EqualOccurrencesAreEqualBytes) {
  const std::vector<Occurrence> batch(3, EncodedNode());
  const std::string first = OtlpRequest(*encoder, batch);
  EXPECT_EQ(OtlpRequest(*encoder, batch), first);
  EXPECT_EQ(OtlpRequest(*MakeOtlpEncoder(GetParam(), Constants()), batch),
            first);
}

TEST_P(OtlpEncoderTest, HostileTextsStayText) {
  Occurrence one = EncodedNode();
  one.message = "a\xff\xfe\"\\\n\x01 é";
  one.reason = std::string_view("a\0b", 3);
  one.type = "\xed\xa0\x80";  // half of a surrogate pair
  one.object_name = std::string_view();
  const json record =
      Request(one)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
  EXPECT_EQ(record["body"]["stringValue"], "a\ufffd\ufffd\"\\\n\x01 é");
  EXPECT_EQ(record["attributes"][5]["value"]["stringValue"],
            std::string("a\0b", 3));
  EXPECT_TRUE(json::accept(record.dump()));
  EXPECT_EQ(record["severityNumber"], 9);
}

TEST_P(OtlpEncoderTest, LongTextsAndLargeCounts) {
  const std::string long_text(100'000, 'x');
  Occurrence one = EncodedNode();
  one.message = long_text;
  one.object_name = long_text;
  one.count = one.delta = 4'294'967'295;
  one.occurred_at = WallTime(std::chrono::microseconds(int64_t{1} << 61));
  const json logs = Request(one)["resourceLogs"][0];
  const json record = logs["scopeLogs"][0]["logRecords"][0];
  EXPECT_EQ(record["body"]["stringValue"], long_text);
  EXPECT_EQ(record["attributes"][2]["value"]["intValue"], "4294967295");
  EXPECT_EQ(record["timeUnixNano"], "9223372036854775000");
  EXPECT_EQ(logs["resource"]["attributes"].back()["value"]["stringValue"],
            long_text);
}

TEST_P(OtlpEncoderTest, AnEmptyEventIsARecord) {
  const json record =
      Request(Occurrence())["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
  EXPECT_EQ(record["body"]["stringValue"], "");
  EXPECT_EQ(record["severityText"], "");
  EXPECT_EQ(record["timeUnixNano"], "0");
}

TEST(OtlpProtobufTest, TheBytesOfARecord) {
  Occurrence one;
  one.uid = "u";
  one.message = "m";
  one.occurred_at = WallTime(std::chrono::microseconds(1));
  const std::string body =
      OtlpRequest(*MakeProtobufEncoder({}), std::span(&one, 1));
  // ResourceLogs with an empty Resource and one ScopeLogs.
  const std::string_view begin(
      "\x0a\xf5\x01\x0a\x00\x12\xf0\x01"
      "\x0a\x14\x0a\x12kube-event-metrics\x12\xd7\x01"
      "\x09\xe8\x03\0\0\0\0\0\0\x59\xe8\x03\0\0\0\0\0\0\x10\x09\x1a\x00"
      "\x62\x09k8s.event\x2a\x03\x0a\x01m",
      71);
  EXPECT_EQ(body.substr(0, begin.size()), begin);
}

TEST(OtlpProtobufTest, ReadsPartialSuccess) {
  const auto encoder = MakeProtobufEncoder({});
  const auto read = [&](std::string_view body, bool success = true) {
    return encoder->Read(body, success);
  };
  EXPECT_EQ(read("").rejected, 0U);
  EXPECT_EQ(read("\x0a\x07\x08\x03\x12\x03"
                 "why")
                .rejected,
            3U);
  EXPECT_EQ(read("\x0a\x07\x08\x03\x12\x03"
                 "why")
                .message,
            "why");
  // Unknown fields before, within and after. Damage behind the number leaves
  // it.
  EXPECT_EQ(read("\x3a\x01x\x0a\x05\x18\x01\x08\x07\x20\x22\x00").rejected, 7U);
  EXPECT_EQ(read("\x3a\x01x\x0a\x06\x18\x01\x08\x07\x20\x01").rejected, 7U);
  // A negative number, a wrong wire type, damage.
  EXPECT_EQ(
      read("\x0a\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").rejected,
      0U);
  EXPECT_EQ(read("\x0a\x03\x0a\x01x").rejected, 0U);
  EXPECT_EQ(read("\x0a\x7f\x08\x03").rejected, 0U);
  EXPECT_EQ(read("\x0a\x02\x08\xff").rejected, 0U);
  EXPECT_EQ(read("{\"partialSuccess\":{}}").rejected, 0U);
  EXPECT_EQ(read("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff").rejected, 0U);
  EXPECT_EQ(read(std::string_view("\0\0\0", 3)).rejected, 0U);
  EXPECT_EQ(read("\x08\x0d\x12\x04"
                 "busy",
                 false)
                .message,
            "busy");
  EXPECT_EQ(read("not protobuf", false).message, "");
}

TEST(OtlpJsonTest, ReadsPartialSuccess) {
  const auto encoder = MakeJsonEncoder({});
  const auto read = [&](std::string_view inner) {
    return encoder->Read("{\"partialSuccess\":{" + std::string(inner) + "}}",
                         true);
  };
  EXPECT_EQ(read(R"("rejectedLogRecords":3,"errorMessage":"why")").rejected,
            3U);
  EXPECT_EQ(read(R"("rejectedLogRecords":"3","errorMessage":"why")").message,
            "why");
  EXPECT_EQ(read(R"("rejectedLogRecords":"3")").rejected, 3U);
  for (const char* hostile :
       {R"("rejectedLogRecords":-1)", R"("rejectedLogRecords":"-1")",
        R"("rejectedLogRecords":1.5)", R"("rejectedLogRecords":[])",
        R"("rejectedLogRecords":"99999999999999999999")",
        R"("errorMessage":{})"}) {
    EXPECT_EQ(read(hostile).rejected, 0U) << hostile;
    EXPECT_EQ(read(hostile).message, "") << hostile;
  }
  for (const char* body : {"", "garbage", "[]", R"({"partialSuccess":[1]})"}) {
    EXPECT_EQ(encoder->Read(body, true).rejected, 0U) << body;
  }
  EXPECT_EQ(encoder->Read(R"({"code":13,"message":"busy"})", false).message,
            "busy");
}

}  // namespace
}  // namespace kem

#include "events/event_decoder.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "testing/event_json.h"

namespace kem {
namespace {

// Owns the JSON that the Event's views point into.
class EventDecoderTest : public ::testing::Test {
 protected:
  FrameInfo Decode(std::string_view json) {
    json_ = PaddedJson(json);
    event = Event();
    return decoder_.DecodeFrame(json_.view(), event);
  }
  FrameType TypeOf(std::string_view json) { return Decode(json).type; }
  const Event& DecodeEvent(const EventJson& json) {
    EXPECT_EQ(TypeOf(json.Frame()), FrameType::kAdded) << json.Frame();
    return event;
  }
  static WallTime At(std::string_view text) { return *ParseRfc3339(text); }

  Event event;

 private:
  EventDecoder decoder_;
  PaddedJson json_{""};
};

TEST_F(EventDecoderTest, ReadsACoreEvent) {
  const FrameInfo info = Decode(EventJson().Frame("MODIFIED"));
  EXPECT_EQ(info.type, FrameType::kModified);
  EXPECT_EQ(info.resource_version, 235U);
  EXPECT_EQ(info.consumed, EventJson().Frame("MODIFIED").size());
  EXPECT_EQ(event.name, "worker-1.18eaa4ad72eb93c4");
  EXPECT_EQ(event.event_namespace, "default");
  EXPECT_EQ(event.uid, "0282914d-e6ad-44c8-8297-55618d994951");
  EXPECT_EQ(event.api_version, "v1");
  EXPECT_EQ(event.kind, "Node");
  EXPECT_EQ(event.object_name, "worker-1");
  EXPECT_EQ(event.object_namespace, "");
  EXPECT_EQ(event.reason, "NodeNotReady");
  EXPECT_EQ(event.type, "Normal");
  EXPECT_EQ(event.reporting_component, "node-controller");
  EXPECT_EQ(event.message, "Node worker-1 status is now: NodeNotReady");
  EXPECT_EQ(event.count, 1U);
  EXPECT_EQ(event.first_seen, At("2026-11-23T10:07:46Z"));
  EXPECT_EQ(event.occurred_at, At("2026-11-23T10:07:46Z"));
  EXPECT_EQ(event.created, At("2026-11-23T10:07:46Z"));
}

TEST_F(EventDecoderTest, OnlyANewEventHasATimeOfCreation) {
  EXPECT_EQ(Decode(EventJson().Frame("ADDED")).created,
            At("2026-11-23T10:07:46Z"));
  EXPECT_FALSE(Decode(EventJson().Frame("MODIFIED")).created);
  EXPECT_FALSE(Decode(EventJson().Frame("DELETED")).created);
  std::string never = EventJson().Frame("ADDED");
  const size_t at = never.find(R"("creationTimestamp":")");
  never.replace(at, never.find(',', at) - at, R"("creationTimestamp":null)");
  EXPECT_FALSE(Decode(never).created);
}

TEST_F(EventDecoderTest, ReadsTheSameEventInTheOtherApisWords) {
  const std::string frame =
      R"({"type":"ADDED","object":{"kind":"Event",)"
      R"("apiVersion":"events.k8s.io/v1","metadata":{"name":"p.1",)"
      R"("namespace":"shop","uid":"u","resourceVersion":"9",)"
      R"("creationTimestamp":"2026-11-23T10:00:00Z"},)"
      R"("eventTime":"2026-11-23T10:00:00.250000Z",)"
      R"("series":{"count":7,"lastObservedTime":"2026-11-23T10:06:00.500000Z"},)"
      R"("reportingController":"default-scheduler","reportingInstance":"m",)"
      R"("action":"Scheduling","reason":"FailedScheduling",)"
      R"("regarding":{"kind":"Pod","namespace":"shop","name":"p",)"
      R"("apiVersion":"v1"},"note":"0/3 nodes","type":"Warning",)"
      R"("deprecatedSource":{"component":"old"},)"
      R"("deprecatedFirstTimestamp":null,"deprecatedLastTimestamp":null,)"
      R"("deprecatedCount":3}})";
  ASSERT_EQ(TypeOf(frame), FrameType::kAdded);
  EXPECT_EQ(event.kind, "Pod");
  EXPECT_EQ(event.object_namespace, "shop");
  EXPECT_EQ(event.reporting_component, "default-scheduler");
  EXPECT_EQ(event.message, "0/3 nodes");
  EXPECT_EQ(event.count, 7U);
  EXPECT_EQ(event.first_seen, At("2026-11-23T10:00:00.25Z"));
  EXPECT_EQ(event.occurred_at, At("2026-11-23T10:06:00.5Z"));
}

TEST_F(EventDecoderTest, DeprecatedFieldsStandInForTheCoreOnes) {
  const std::string frame =
      R"({"type":"ADDED","object":{"metadata":{"name":"n","namespace":"a",)"
      R"("resourceVersion":"9","creationTimestamp":"2026-11-23T10:00:09Z"},)"
      R"("eventTime":null,"reportingController":"",)"
      R"("deprecatedSource":{"component":"kubelet"},)"
      R"("deprecatedFirstTimestamp":"2026-11-23T10:00:01Z",)"
      R"("deprecatedLastTimestamp":"2026-11-23T10:00:30Z",)"
      R"("deprecatedCount":4}})";
  ASSERT_EQ(TypeOf(frame), FrameType::kAdded);
  EXPECT_EQ(event.count, 4U);
  EXPECT_EQ(event.reporting_component, "kubelet");
  EXPECT_EQ(event.first_seen, At("2026-11-23T10:00:01Z"));
  EXPECT_EQ(event.occurred_at, At("2026-11-23T10:00:30Z"));
}

TEST_F(EventDecoderTest, SeriesCountWinsOverCount) {
  EXPECT_EQ(
      DecodeEvent({.count = "3", .more = R"(,"series":{"count":8})"}).count,
      8U);
  EXPECT_EQ(DecodeEvent({.count = "3", .more = R"(,"series":null)"}).count, 3U);
  EXPECT_EQ(DecodeEvent({.count = "3", .more = R"(,"series":{})"}).count, 1U);
}

TEST_F(EventDecoderTest, CountIsClamped) {
  EXPECT_EQ(DecodeEvent({.count = "-5"}).count, 1U);
  EXPECT_EQ(DecodeEvent({.count = "0"}).count, 1U);
  EXPECT_EQ(DecodeEvent({.count = "null"}).count, 1U);
  EXPECT_EQ(DecodeEvent({.count = R"("many")"}).count, 1U);
  EXPECT_EQ(DecodeEvent({.count = "2147483648"}).count, 2147483647U);
  EXPECT_EQ(DecodeEvent({.count = "9223372036854775807"}).count, 2147483647U);
}

TEST_F(EventDecoderTest, IdentityIsFirstTimestampThenEventTimeThenCreation) {
  EXPECT_EQ(DecodeEvent({.first = "null",
                         .event_time = R"("2026-11-23T10:01:00.000001Z")"})
                .first_seen,
            At("2026-11-23T10:01:00.000001Z"));
  EXPECT_EQ(DecodeEvent({.first = "null"}).first_seen,
            At("2026-11-23T10:07:46Z"));
}

TEST_F(EventDecoderTest, OccurredIsTheNewestOfAllTimes) {
  EXPECT_EQ(DecodeEvent({.last = R"("2026-11-23T11:00:00Z")"}).occurred_at,
            At("2026-11-23T11:00:00Z"));
  EXPECT_EQ(DecodeEvent({.first = "null", .last = "null"}).occurred_at,
            At("2026-11-23T10:07:46Z"));
  // Go's zero time.
  const std::string zero = R"("0001-01-01T00:00:00Z")";
  EXPECT_EQ(DecodeEvent({.first = zero, .last = zero, .event_time = zero})
                .occurred_at,
            At("2026-11-23T10:07:46Z"));
}

TEST_F(EventDecoderTest, ComponentFallsBackToTheSource) {
  EXPECT_EQ(DecodeEvent({.controller = R"("")"}).reporting_component,
            "node-controller");
  EXPECT_EQ(
      DecodeEvent({.source = "{}", .controller = "null"}).reporting_component,
      "");
}

TEST_F(EventDecoderTest, AMirrorIsOneByItsReportingComponentAlone) {
  const std::string ours = R"("kube-event-metrics")";
  EXPECT_EQ(DecodeEvent({.controller = ours}).reporting_component,
            kMirrorComponent);
  const std::string source = R"({"component":)" + ours + "}";
  EXPECT_EQ(DecodeEvent({.source = source}).reporting_component,
            "node-controller");
  EXPECT_EQ(DecodeEvent({.source = source, .controller = R"("")"})
                .reporting_component,
            "");
}

TEST_F(EventDecoderTest, TakesNullsAndWrongTypesAsAbsent) {
  const Event& read = DecodeEvent({.involved = "null",
                                   .reason = "17",
                                   .type = "{}",
                                   .message = "[1,[2]]",
                                   .source = "null",
                                   .first = "\"not a time\"",
                                   .controller = "true"});
  EXPECT_EQ(read.kind, "");
  EXPECT_EQ(read.reason, "");
  EXPECT_EQ(read.type, "");
  EXPECT_EQ(read.reporting_component, "");
  EXPECT_EQ(read.first_seen, At("2026-11-23T10:07:46Z"));
}

TEST_F(EventDecoderTest, UnescapesText) {
  EXPECT_EQ(
      DecodeEvent({.reason = R"("a\u0000\"\\\u2028\ud83d\ude00<")"}).reason,
      std::string("a\0\"\\\xe2\x80\xa8\xf0\x9f\x98\x80<", 12));
}

// Go's encoding/json replaces each by U+FFFD, and simdjson refuses the string.
TEST_F(EventDecoderTest, ReplacesLoneSurrogates) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("\ud800")", "\uFFFD"},
      {R"("a\ud800b")", "a\uFFFDb"},
      {R"("\uDFFF\uDBFF")", "\uFFFD\uFFFD"},
      {R"("\ud800\ud83d\ude00")", "\uFFFD\U0001F600"},
      {R"("\ud83d\ude00\ude00")", "\U0001F600\uFFFD"},
      {R"("\ud800\u0041\n")", "\uFFFDA\n"},
      {R"("\\ud800")", R"(\ud800)"},
      {R"("\\\ud800\\")", "\\\uFFFD\\"},
      {R"("\ud800\\udc00")", "\uFFFD\\udc00"},
      {R"("\ud800\"")", "\uFFFD\""},
      {R"("\uD800")", "\uFFFD"},
  };
  for (const auto& [json, text] : cases) {
    const Event& read = DecodeEvent({.reason = json, .message = json});
    EXPECT_EQ(read.reason, text) << json;
    EXPECT_EQ(read.message, text) << json;
    EXPECT_EQ(read.type, "Normal") << json;
    EXPECT_EQ(read.name, "worker-1.18eaa4ad72eb93c4") << json;
    EXPECT_EQ(read.count, 1U) << json;
  }
}

TEST_F(EventDecoderTest, ReplacesLoneSurrogatesInEveryText) {
  const std::string lone = R"(x\udc00y)";
  const std::string text = "x\uFFFDy";
  const std::string quoted = '"' + lone + '"';
  const Event& read =
      DecodeEvent({.name = lone,
                   .event_namespace = lone,
                   .uid = lone,
                   .involved = R"({"kind":)" + quoted + R"(,"name":)" + quoted +
                               R"(,"namespace":)" + quoted + "}",
                   .type = quoted,
                   .source = R"({"component":)" + quoted + "}",
                   .controller = R"("")",
                   .more = R"(,"action":)" + quoted});
  EXPECT_EQ(read.name, text);
  EXPECT_EQ(read.event_namespace, text);
  EXPECT_EQ(read.uid, text);
  EXPECT_EQ(read.kind, text);
  EXPECT_EQ(read.object_name, text);
  EXPECT_EQ(read.object_namespace, text);
  EXPECT_EQ(read.type, text);
  EXPECT_EQ(read.reporting_component, text);
  EXPECT_EQ(read.action, text);
}

TEST_F(EventDecoderTest, LeavesFramesBesideALoneSurrogateAsTheyAre) {
  const std::string lone = EventJson{.reason = R"("\ud800")"}.Frame();
  const FrameInfo info = Decode(lone + EventJson().Frame());
  EXPECT_EQ(info.type, FrameType::kAdded);
  EXPECT_EQ(info.consumed, lone.size());
  EXPECT_EQ(event.reason, "\uFFFD");
  // A giant is shortened first.
  EventJson giant{.reason = R"("\udead")"};
  giant.message = '"' + std::string(3 << 20, 'x') + '"';
  EXPECT_EQ(DecodeEvent(giant).reason, "\uFFFD");
  // Other invalid escapes are no text.
  EXPECT_EQ(DecodeEvent({.reason = R"("\ud8")"}).reason, "");
  EXPECT_EQ(DecodeEvent({.reason = R"("\x\ud800")"}).reason, "");
  EXPECT_EQ(DecodeEvent({}).reason, "NodeNotReady");
}

TEST_F(EventDecoderTest, ReadsTheMessageInPlaceWhereItHasNoEscapes) {
  const PaddedJson plain(EventJson().Frame());
  Event read;
  EventDecoder decoder;
  decoder.DecodeFrame(plain.view(), read);
  EXPECT_GE(read.message.data(), plain.view().data());
  EXPECT_LT(read.message.data(), plain.view().data() + plain.view().size());
  EXPECT_EQ(DecodeEvent({.message = R"("a\n\"b\"")"}).message, "a\n\"b\"");
  EXPECT_EQ(DecodeEvent({.message = "null"}).message, "");
}

TEST_F(EventDecoderTest, RecognizesCombinedEvents) {
  EXPECT_FALSE(DecodeEvent({}).combined);
  EXPECT_TRUE(DecodeEvent({.message = R"("(combined from similar events): x")"})
                  .combined);
}

TEST_F(EventDecoderTest, ReadsABookmark) {
  const FrameInfo info =
      Decode(R"({"type":"BOOKMARK","object":{"kind":"Event","apiVersion":"v1",)"
             R"("metadata":{"resourceVersion":"224"},"involvedObject":{},)"
             R"("source":{},"firstTimestamp":null,"eventTime":null}})");
  EXPECT_EQ(info.type, FrameType::kBookmark);
  EXPECT_EQ(info.resource_version, 224U);
}

TEST_F(EventDecoderTest, ReadsAnError) {
  const FrameInfo info = Decode(
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1",)"
      R"("metadata":{},"status":"Failure","message":"too old",)"
      R"("reason":"Expired","details":{"retryAfterSeconds":3},"code":410}})");
  EXPECT_EQ(info.type, FrameType::kError);
  EXPECT_EQ(info.status_code, 410);
  EXPECT_EQ(info.status_reason, "Expired");
  EXPECT_EQ(info.status_message, "too old");
  EXPECT_EQ(info.retry_after, std::chrono::seconds(3));
  EXPECT_EQ(info.resource_version, 0U);
}

TEST_F(EventDecoderTest, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(TypeOf(R"({"type":"FOO","object":{}})"), FrameType::kUnknown);
}

TEST_F(EventDecoderTest, FieldsMayComeInAnyOrder) {
  const std::string object = EventJson().Object();
  EXPECT_EQ(TypeOf(R"({"object":)" + object + R"(,"type":"DELETED"})"),
            FrameType::kDeleted);
  EXPECT_EQ(event.kind, "Node");
}

TEST_F(EventDecoderTest, RefusesWhatIsNoFrame) {
  for (const char* json :
       {"", " ", "{}", "[]", "17", "null", "{", "}", "\"x\"", R"({"type":)",
        R"({"type":"ADDED"})", R"({"type":"ADDED","object":null})",
        R"({"type":"ADDED","object":{}})", R"({"type":7,"object":{}})",
        R"({"type":"ADDED","object":{"metadata":{"name":"n"}}})",
        R"({"type":"BOOKMARK","object":{}})",
        R"({"type":"ADDED","object":{"metadata":{"resourceVersion":"7"}}})"}) {
    EXPECT_EQ(TypeOf(json), FrameType::kMalformed) << json;
  }
  EXPECT_EQ(TypeOf(EventJson{.version = "12x"}.Frame()), FrameType::kMalformed);
  EXPECT_EQ(TypeOf(EventJson{.version = "-1"}.Frame()), FrameType::kMalformed);
  EXPECT_EQ(TypeOf(EventJson{.reason = "\"\xff\""}.Frame()),
            FrameType::kMalformed);
}

TEST_F(EventDecoderTest, RefusesEveryCutFrame) {
  const std::string frame = EventJson().Frame();
  for (size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(TypeOf(frame.substr(0, size)), FrameType::kMalformed) << size;
  }
}

TEST_F(EventDecoderTest, ReportsWhereTheNextFrameBegins) {
  const std::string frame = EventJson().Frame();
  EXPECT_EQ(Decode(frame + frame).consumed, frame.size());
  EXPECT_EQ(event.kind, "Node");
  EXPECT_EQ(Decode(frame + " " + frame).type, FrameType::kAdded);
  EXPECT_EQ(Decode(frame + "\n").consumed, frame.size() + 1);
}

TEST_F(EventDecoderTest, ReadsAGiant) {
  EventJson json;
  json.message = '"' + std::string(3 << 20, 'x') + '"';
  EXPECT_EQ(DecodeEvent(json).reason, "NodeNotReady");
  EXPECT_EQ(DecodeEvent({}).reason, "NodeNotReady");
}

TEST(EventDecoderItemTest, ReadsAListItemWithoutKind) {
  EventDecoder decoder;
  Event event;
  const PaddedJson item(
      R"({"metadata":{"name":"n","namespace":"a","resourceVersion":"7"},)"
      R"("involvedObject":{"kind":"Pod"},"count":5})");
  ASSERT_TRUE(decoder.DecodeItem(item.view(), event));
  EXPECT_EQ(event.name, "n");
  EXPECT_EQ(event.kind, "Pod");
  EXPECT_EQ(event.count, 5U);
  const PaddedJson lone(
      R"({"metadata":{"name":"n","resourceVersion":"7"},"reason":"a\ud800"})");
  ASSERT_TRUE(decoder.DecodeItem(lone.view(), event));
  EXPECT_EQ(event.reason, "a\uFFFD");
  EXPECT_FALSE(decoder.DecodeItem(PaddedJson("{}").view(), event));
  EXPECT_FALSE(decoder.DecodeItem(PaddedJson("null").view(), event));
}

}  // namespace
}  // namespace kem

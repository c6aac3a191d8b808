#include "history/event_json.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr WallTime kNoon{seconds(1795435200)};

FoundEvent SomeEvent() {
  FoundEvent event;
  event.uid = "u1";
  event.event_namespace = "default";
  event.name = "n1.17f";
  event.api_version = "v1";
  event.kind = "Node";
  event.object_name = "n1";
  event.object_uid = "ou";
  event.reason = "SystemOOM";
  event.type = "Warning";
  event.reporting_component = "kubelet";
  event.message = "out of memory";
  event.cluster_scoped = true;
  event.count = 5;
  event.first_seen = kNoon;
  event.last_seen = kNoon + seconds(1);
  event.received = kNoon + milliseconds(1500);
  event.jumps = {{kNoon, 2}, {kNoon + seconds(60), 3}};
  return event;
}

TEST(EventJsonTest, HasTheNamesOfKubernetes) {
  EXPECT_EQ(
      EventsJson({{SomeEvent()}, "m1"}, kNoon),
      R"({"status":"success","data":{"events":[{"metadata":{"uid":"u1",)"
      R"("namespace":"default","name":"n1.17f"},"involvedObject":{)"
      R"("apiVersion":"v1","kind":"Node","name":"n1","uid":"ou"},)"
      R"("scope":"cluster","reason":"SystemOOM","type":"Warning",)"
      R"("reportingComponent":"kubelet","message":"out of memory","count":5,)"
      R"("firstTimestamp":"2026-11-23T12:00:00.000Z",)"
      R"("lastTimestamp":"2026-11-23T12:00:01.000Z",)"
      R"("receivedTimestamp":"2026-11-23T12:00:01.500Z","occurrences":[)"
      R"({"timestamp":"2026-11-23T12:00:00.000Z","count":2},)"
      R"({"timestamp":"2026-11-23T12:01:00.000Z","count":3}]}],)"
      R"("next":"m1","knownSince":"2026-11-23T12:00:00.000Z"}})"
      "\n");
}

TEST(EventJsonTest, LeavesOutWhatIsEmpty) {
  FoundEvent event;
  event.object_namespace = "shop";
  EXPECT_EQ(
      EventsJson({{event}, ""}, WallTime::min()),
      R"({"status":"success","data":{"events":[{"metadata":{},)"
      R"("involvedObject":{"namespace":"shop"},"scope":"namespaced",)"
      R"("count":1,"firstTimestamp":"1970-01-01T00:00:00.000Z",)"
      R"("lastTimestamp":"1970-01-01T00:00:00.000Z",)"
      R"("receivedTimestamp":"1970-01-01T00:00:00.000Z","occurrences":[]}]}})"
      "\n");
  EXPECT_EQ(EventsJson({}, WallTime::min()),
            "{\"status\":\"success\",\"data\":{\"events\":[]}}\n");
}

TEST(EventJsonTest, HasObjects) {
  FoundObject object;
  object.api_version = "v1";
  object.kind = "Node";
  object.name = "n1";
  object.cluster_scoped = true;
  object.events = 3;
  object.warnings = 2;
  object.last_received = kNoon;
  EXPECT_EQ(ObjectsJson({{object, object}, ""}, WallTime::min()),
            R"({"status":"success","data":{"objects":[)"
            R"({"apiVersion":"v1","kind":"Node","name":"n1",)"
            R"("scope":"cluster","events":3,"warnings":2,)"
            R"("receivedTimestamp":"2026-11-23T12:00:00.000Z"},)"
            R"({"apiVersion":"v1","kind":"Node","name":"n1",)"
            R"("scope":"cluster","events":3,"warnings":2,)"
            R"("receivedTimestamp":"2026-11-23T12:00:00.000Z"}]}})"
            "\n");
}

TEST(EventJsonTest, AnErrorHasThePartsOfPrometheus) {
  EXPECT_EQ(ErrorJson("bad_data", "limit must be \"1\""),
            R"({"status":"error","errorType":"bad_data",)"
            R"("error":"limit must be \"1\""})"
            "\n");
}

TEST(EventJsonTest, HostileTextsStayTexts) {
  FoundEvent event = SomeEvent();
  event.message = std::string("\"}],\0\x1b[31m\xff\u202e\u2028", 17) + "\xc3";
  const std::string text = EventsJson({{event}, ""}, kNoon);
  EXPECT_THAT(text, HasSubstr(R"("message":"\"}],\u0000\u001b[31m)"));
  EXPECT_THAT(text, HasSubstr(R"(\u202e)"));
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["data"]["events"].size(), 1U);
}

TEST(EventJsonTest, IsBounded) {
  FoundEvents found;
  found.events.assign(EventQuery::kMaxLimit, SomeEvent());
  for (FoundEvent& event : found.events) event.message.assign(1024, 'x');
  EXPECT_LT(EventsJson(found, kNoon).size(), size_t{1} << 20);
  for (FoundEvent& event : found.events) event.message.assign(1024, '\x01');
  EXPECT_GT(EventsJson(found, kNoon).size(), size_t{3} << 20);
  for (FoundEvent& event : found.events) event.message.assign(2048, '\x01');
  EXPECT_EQ(EventsJson(found, kNoon), "");
}

}  // namespace
}  // namespace kem

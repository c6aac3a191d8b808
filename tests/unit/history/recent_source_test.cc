// The memory of the last hour as an EventSource: what each filter finds, and
// that pages hold while Events arrive.
#include "history/recent_source.h"

#include <gmock/gmock.h>

#include "base/hash.h"
#include "history/event_query.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class RecentSourceTest : public ::testing::Test {
 protected:
  // One new occurrence of an Event about the Node `object`, now.
  void Observe(std::string_view object, const std::string& reason = "Rebooted",
               const std::string& type = "Warning", uint32_t count = 1) {
    Event event;
    event.uid = "u";
    event.event_namespace = "default";
    const std::string name = std::string(object) + "." + reason;
    event.name = name;
    event.api_version = "v1";
    event.kind = "Node";
    event.object_name = object;
    event.object_uid = "ou";
    event.reason = reason;
    event.type = type;
    event.reporting_component = "kubelet";
    event.message = message;
    event.count = count;
    event.first_seen = count == 1 ? now : now - minutes(50);
    event.occurred_at = now;
    recent.Observe(hash(name), event, 1, now);
    now += seconds(1);
  }
  FoundEvents Find(const EventQuery& query = {}) {
    const Result<FoundEvents> found = source.FindEvents(query, {});
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : FoundEvents();
  }
  // "object.reason" of each.
  std::vector<std::string> Names(const EventQuery& query = {}) {
    std::vector<std::string> names;
    for (const FoundEvent& event : Find(query).events) {
      names.push_back(event.name);
    }
    return names;
  }
  std::vector<std::string> With(std::string EventQuery::*field,
                                const std::string& value) {
    EventQuery query;
    query.*field = value;
    return Names(query);
  }

  Hasher hash;
  WallTime now{seconds(1795435200)};
  std::string message = "it did";
  RecentEvents recent;
  RecentSource source{[this] { return recent.Newest(now); },
                      [this] { return now - hours(1); }};
};

TEST_F(RecentSourceTest, HasWhatTheEventSays) {
  const WallTime first = now;
  Observe("n1");
  now += minutes(3);
  const WallTime second = now;
  Observe("n1", "Rebooted", "Warning", 2);
  const FoundEvents found = Find();
  ASSERT_EQ(found.events.size(), 1U);
  EXPECT_EQ(found.next, "");
  const FoundEvent& event = found.events[0];
  EXPECT_EQ(event.uid, "u");
  EXPECT_EQ(event.event_namespace, "default");
  EXPECT_EQ(event.name, "n1.Rebooted");
  EXPECT_EQ(event.api_version, "v1");
  EXPECT_EQ(event.kind, "Node");
  EXPECT_EQ(event.object_namespace, "");
  EXPECT_EQ(event.object_name, "n1");
  EXPECT_EQ(event.object_uid, "ou");
  EXPECT_EQ(event.reason, "Rebooted");
  EXPECT_EQ(event.type, "Warning");
  EXPECT_EQ(event.reporting_component, "kubelet");
  EXPECT_EQ(event.message, "it did");
  EXPECT_TRUE(event.cluster_scoped);
  EXPECT_EQ(event.count, 2U);
  EXPECT_EQ(event.first_seen, second - minutes(50));
  EXPECT_EQ(event.last_seen, second);
  EXPECT_EQ(event.received, second);
  ASSERT_EQ(event.jumps.size(), 2U);
  EXPECT_EQ(event.jumps[0].at, first);
  EXPECT_EQ(event.jumps[0].delta, 1U);
  EXPECT_EQ(event.jumps[1].at, std::chrono::floor<minutes>(second));
  EXPECT_EQ(source.KnownSince(), now - hours(1));
}

TEST_F(RecentSourceTest, EachFilterSelects) {
  Observe("n1");
  Observe("n2", "Starting", "Normal");
  EXPECT_THAT(Names(), ElementsAre("n2.Starting", "n1.Rebooted"));
  EXPECT_THAT(With(&EventQuery::kind, "Node").size(), 2U);
  EXPECT_THAT(With(&EventQuery::kind, "node"), IsEmpty());
  EXPECT_THAT(With(&EventQuery::name, "n1"), ElementsAre("n1.Rebooted"));
  EXPECT_THAT(With(&EventQuery::name, "n"), IsEmpty());
  EXPECT_THAT(With(&EventQuery::reason, "Starting"),
              ElementsAre("n2.Starting"));
  EXPECT_THAT(With(&EventQuery::type, "Normal"), ElementsAre("n2.Starting"));
  EXPECT_THAT(With(&EventQuery::component, "kubelet").size(), 2U);
  EXPECT_THAT(With(&EventQuery::component, "x"), IsEmpty());
  EventQuery query;
  query.object_namespace = "";
  EXPECT_EQ(Names(query).size(), 2U);
  query.object_namespace = "shop";
  EXPECT_THAT(Names(query), IsEmpty());
}

TEST_F(RecentSourceTest, EachWordIsInTheMessage) {
  message = "System OOM encountered, victim: Java";
  Observe("n1");
  EventQuery query;
  query.words = {"oom", "VICTIM", "java"};
  EXPECT_EQ(Names(query).size(), 1U);
  // The beginning of a word, and words in a row.
  query.words = {"enc", "%", "ENCOUNTERED,victim"};
  EXPECT_EQ(Names(query).size(), 1U);
  query.words = {"countered"};
  EXPECT_THAT(Names(query), IsEmpty());
  query.words = {"oom", "python"};
  EXPECT_THAT(Names(query), IsEmpty());
}

TEST_F(RecentSourceTest, TimesSelectOccurrences) {
  const WallTime start = now;  // a full minute
  Observe("n1");
  now = start + minutes(30);
  Observe("n1", "Rebooted", "Warning", 2);
  const auto between = [&](WallTime since, WallTime until) {
    EventQuery query;
    query.since = since;
    query.until = until;
    return Names(query).size();
  };
  EXPECT_EQ(between(start - hours(9), start + hours(9)), 1U);
  // Its beginning, 20 minutes before.
  EXPECT_EQ(between(start - minutes(20), start - minutes(19)), 1U);
  EXPECT_EQ(between(start - minutes(21), start - minutes(20)), 0U);
  EXPECT_EQ(between(start - minutes(19), start), 0U);
  // A jump, anywhere in its minute.
  EXPECT_EQ(between(start + seconds(30), start + seconds(31)), 1U);
  EXPECT_EQ(between(start + minutes(1), start + minutes(30)), 0U);
  EXPECT_EQ(between(start + minutes(30), start + minutes(31)), 1U);
  EXPECT_EQ(between(start + minutes(31), start + hours(9)), 0U);
  EventQuery since;
  since.since = start + minutes(31);
  EXPECT_THAT(Names(since), IsEmpty());
}

TEST_F(RecentSourceTest, PagesHoldWhileEventsArrive) {
  for (const char* object : {"n1", "n2", "n3", "n4", "n5"}) Observe(object);
  EventQuery query;
  query.limit = 2;
  FoundEvents found = Find(query);
  EXPECT_THAT(Names(query), ElementsAre("n5.Rebooted", "n4.Rebooted"));
  Observe("n6");
  Observe("n5", "Rebooted", "Warning", 2);
  query.cursor = found.next;
  EXPECT_THAT(Names(query), ElementsAre("n3.Rebooted", "n2.Rebooted"));
  query.cursor = Find(query).next;
  Observe("n7");
  EXPECT_THAT(Names(query), ElementsAre("n1.Rebooted"));
  EXPECT_EQ(Find(query).next, "");
}

TEST_F(RecentSourceTest, PagesHaveAllEventsOfOneMoment) {
  for (int i = 0; i < 7; ++i) {
    Observe("n" + std::to_string(i));
    now -= seconds(1);
  }
  EventQuery query;
  query.limit = 3;
  std::vector<std::string> all;
  do {
    for (const std::string& name : Names(query)) all.push_back(name);
    query.cursor = Find(query).next;
  } while (!query.cursor.empty() && all.size() < 10);
  EXPECT_THAT(all,
              UnorderedElementsAre("n0.Rebooted", "n1.Rebooted", "n2.Rebooted",
                                   "n3.Rebooted", "n4.Rebooted", "n5.Rebooted",
                                   "n6.Rebooted"));
}

TEST_F(RecentSourceTest, ItsCursorsFitIntoUrls) {
  const std::string hostile = "\n\x1b\xff" + std::string(2000, 'n');
  Observe(hostile + "1");
  Observe(hostile + "2");
  EventQuery query;
  query.limit = 1;
  for (const std::string& next :
       {Find(query).next, source.FindObjects(query, {})->next}) {
    query.cursor = next;
    const auto read = ParseEventQuery(ToUrlQuery(query), now);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->cursor, next);
  }
}

TEST_F(RecentSourceTest, RefusesForeignCursors) {
  Observe("n1");
  EventQuery query;
  for (const char* cursor : {"x", "m", "m.", "mx.a", "1.a", "m1x.a", " m1.a",
                             "m99999999999999999999.1", "m1.a", "m1."}) {
    query.cursor = cursor;
    const auto found = source.FindEvents(query, {});
    ASSERT_FALSE(found) << cursor;
    EXPECT_EQ(found.error().code, ErrorCode::kRejected);
    EXPECT_FALSE(source.FindObjects(query, {})) << cursor;
  }
}

TEST_F(RecentSourceTest, SumsUpObjects) {
  Observe("n1");
  Observe("n2", "Starting", "Normal");
  Observe("n1", "Starting", "Normal");
  const Result<FoundObjects> found = source.FindObjects({}, {});
  ASSERT_TRUE(found);
  ASSERT_EQ(found->objects.size(), 2U);
  const FoundObject& object = found->objects[0];
  EXPECT_EQ(object.api_version, "v1");
  EXPECT_EQ(object.kind, "Node");
  EXPECT_EQ(object.name, "n1");
  EXPECT_TRUE(object.cluster_scoped);
  EXPECT_EQ(object.events, 2U);
  EXPECT_EQ(object.warnings, 1U);
  EXPECT_EQ(object.last_received, now - seconds(1));
  EXPECT_EQ(found->objects[1].name, "n2");
  EXPECT_EQ(found->objects[1].warnings, 0U);
  EventQuery query;
  query.limit = 1;
  query.cursor = source.FindObjects(query, {})->next;
  const Result<FoundObjects> second = source.FindObjects(query, {});
  ASSERT_TRUE(second);
  ASSERT_EQ(second->objects.size(), 1U);
  EXPECT_EQ(second->objects[0].name, "n2");
  EXPECT_EQ(second->next, "");
}

TEST_F(RecentSourceTest, AStopEndsIt) {
  Observe("n1");
  std::stop_source stop;
  stop.request_stop();
  const auto found = source.FindEvents({}, stop.get_token());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace kem

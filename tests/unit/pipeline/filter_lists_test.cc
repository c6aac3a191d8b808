// Filters by namespace, object and message, for counting and for sinks: in
// watch events, in lists, and when a reload changes them during a list.
#include <gmock/gmock.h>

#include <sstream>

#include "pipeline/event_labels.h"
#include "unit/pipeline/pipeline_fixture.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FilterListsTest : public PipelineFixture {
 protected:
  // An Event of this name about a Node of the same name, or about a Pod in a
  // namespace.
  static EventJson About(const std::string& name, const std::string& version,
                         const std::string& name_space = "") {
    EventJson json;
    json.name = name;
    json.version = version;
    if (name_space.empty()) {
      json.involved =
          R"({"apiVersion":"v1","kind":"Node","name":")" + name + R"("})";
    } else {
      json.event_namespace = name_space;
      json.involved = R"({"apiVersion":"v1","kind":"Pod","namespace":")" +
                      name_space + R"(","name":")" + name + R"("})";
    }
    return json;
  }
  static std::string Saying(const std::string& message,
                            const std::string& version) {
    EventJson json = About("n-" + version, version);
    json.message = '"' + message + '"';
    return json.Object();
  }

  void Filter(FilterOptions options) {
    world.filter = std::make_shared<const EventFilter>(std::move(options));
  }
  void SetSinks(const std::vector<FilterOptions>& all) {
    std::vector<Outbox::Sink> queues;
    world.sink_filters.clear();
    for (const FilterOptions& options : all) {
      queues.push_back({std::to_string(queues.size()), 100, 100'000});
      world.sink_filters.push_back(
          std::make_shared<const EventFilter>(options));
    }
    ledger.SetSinks(queues);
  }
  // The names of the Events that wait.
  std::vector<std::string> Offered(size_t sink) {
    std::vector<std::string> names;
    for (const auto& entry : ledger.outbox().size(sink).entries == 0
                                 ? Outbox::Entries()
                                 : ledger.Peek(sink, 100, 100'000)) {
      names.emplace_back(DecodeOccurrence(entry->bytes)->name);
    }
    ledger.PutBack(sink);
    return names;
  }
  // The sum of the samples of the family that have this label.
  int Sum(const std::string& family, const std::string& label) {
    std::string out;
    SeriesTable::Cursor cursor;
    while (ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), out)) {
    }
    int sum = 0;
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(family + "{") &&
          line.find(label) != std::string::npos) {
        sum += std::stoi(line.substr(line.rfind(' ') + 1));
      }
    }
    return sum;
  }
  int Count(const std::string& label) {
    return Sum("kube_event_occurrences_total", label);
  }
};

TEST_F(FilterListsTest, NamespacesAreThoseThatAreLabels) {
  Filter({.namespaces = {{"team-.*"}, {"team-x"}}});
  List({});
  Frame(About("a", "101", "team-a").Object());
  Frame(About("b", "102", "team-x").Object());
  Frame(About("c", "103", "shop").Object());
  Frame(About("n", "104").Object());
  EXPECT_EQ(Count(R"(object_namespace="team-a")"), 1);
  EXPECT_EQ(Count(R"(kind="Pod")"), 1);
  EXPECT_EQ(Count(R"(kind="Node")"), 1);
  // A claim that is not trusted counts in the namespace of its Event.
  EventJson forged = About("d", "105");
  forged.event_namespace = "team-x";
  Frame(forged.Object());
  EXPECT_EQ(Count(R"(kind="Node")"), 1);
  forged.event_namespace = "team-b";
  Frame(forged.Object());
  EXPECT_EQ(Count(R"(object_namespace="team-b")"), 1);
  // An object without a namespace is in its Event's.
  EventJson without = About("e", "106", "team-c");
  without.involved = R"({"apiVersion":"v1","kind":"Pod","name":"e"})";
  Frame(without.Object());
  EXPECT_EQ(Count(R"(object_namespace="team-c")"), 1);
  EXPECT_EQ(world.occurrences.filtered, 3U);
}

TEST_F(FilterListsTest, ObjectsCountByTheirNamesInBothScopes) {
  Filter({.objects = {{"worker-[0-9]", "cart-.*"}, {"worker-9"}}});
  List({About("worker-1", "90").Object(), About("master", "91").Object()});
  EXPECT_EQ(Sum("kube_event_active", ""), 1);
  Frame(About("worker-2", "101").Object());
  Frame(About("worker-9", "102").Object());
  Frame(About("cart-0", "103", "shop").Object());
  Frame(About("db-0", "104", "shop").Object());
  EXPECT_EQ(Sum("kube_event_object_occurrences_total", "worker-2"), 1);
  EXPECT_EQ(Sum("kube_event_object_occurrences_total", ""), 1);
  EXPECT_EQ(Count(R"(kind="Pod")"), 1);
  EXPECT_EQ(world.occurrences.filtered, 2U);
}

TEST_F(FilterListsTest, WhatAWatchByNameLeftOutIsNoNews) {
  Filter({.objects = {{"worker\\.1"}, {}}});
  List({});
  EXPECT_THAT(pipeline.Selectors(), ElementsAre("involvedObject.name=worker.1",
                                                "regarding.name=worker.1"));
  Filter({});
  List({About("worker.1", "98").Object(), About("worker.2", "99").Object()});
  EXPECT_EQ(Sum("kube_event_object_occurrences_total", "worker.1"), 1);
  EXPECT_EQ(Sum("kube_event_object_occurrences_total", "worker.2"), 0);
  EXPECT_EQ(Sum("kube_event_active", ""), 2);
}

TEST_F(FilterListsTest, SinksGetWhatTheirListsMatch) {
  SetSinks({{.namespaces = {{"team-.*"}, {}}},
            {.objects = {{}, {"n-1"}}},
            {.messages = {{"disk .* is full"}, {"ignore"}}}});
  List({});
  Frame(About("n-1", "101").Object());
  Frame(About("p-1", "102", "team-a").Object());
  Frame(About("p-2", "103", "shop").Object());
  EventJson full = About("n-2", "104");
  full.message = R"("the disk /dev/a is full")";
  Frame(full.Object());
  full = About("n-3", "105");
  full.message = R"("the disk /dev/ignored is full")";
  Stage({full.Object(), Saying("disk /dev/b is fuller", "106")});
  Commit();
  EXPECT_THAT(Offered(0), ElementsAre("n-1", "p-1", "n-2", "n-3", "n-106"));
  EXPECT_THAT(Offered(1), ElementsAre("p-1", "p-2", "n-2", "n-3", "n-106"));
  EXPECT_THAT(Offered(2), ElementsAre("n-2", "n-106"));
  // Whatever sinks want, all of it counts.
  EXPECT_EQ(Count(""), 6);
}

TEST_F(FilterListsTest, AnOccurrenceMatchesByItsOwnMessage) {
  SetSinks({{.messages = {{"two"}, {}}}});
  EventJson json = About("n", "90");
  json.message = R"("one")";
  List({json.Object()});
  const auto change = [&](const char* version, const char* count,
                          const char* message) {
    json.version = version;
    json.count = count;
    json.message = message;
    Frame(json.Object(), "MODIFIED");
  };
  change("101", "1", R"("two")");  // no occurrence
  EXPECT_THAT(Offered(0), IsEmpty());
  change("102", "2", R"("three")");
  EXPECT_THAT(Offered(0), IsEmpty());
  change("103", "3", R"("two")");
  EXPECT_THAT(Offered(0), ElementsAre("n"));
  change("103", "3", R"("two")");  // a replay
  EXPECT_THAT(Offered(0), ElementsAre("n"));
}

TEST_F(FilterListsTest, AReloadDuringAListMatchesByNewNamesAndMessages) {
  SetSinks({{.messages = {{"blue"}, {}}}});
  List({});
  Stage({Saying("blue", "101"), Saying("red", "102"), Saying("red", "103")});
  SetSinks({{.messages = {{"re."}, {}}},
            {.objects = {{"n-10[12]"}, {}}, .messages = {{}, {"blue"}}}});
  Commit();
  // Only what some sink was offered before is still there.
  EXPECT_THAT(Offered(0), IsEmpty());
  EXPECT_THAT(Offered(1), IsEmpty());
  SetSinks({FilterOptions()});
  Stage({Saying("blue", "201"), Saying("red", "202"), Saying("red", "203")});
  SetSinks({{.messages = {{"re."}, {}}},
            {.objects = {{"n-20[12]"}, {}}, .messages = {{}, {"blue"}}}});
  Commit();
  EXPECT_THAT(Offered(0), ElementsAre("n-202", "n-203"));
  EXPECT_THAT(Offered(1), ElementsAre("n-202"));
}

// The state names the filter of the last list by its text. Another text, as
// that of an older version, leads to one list and keeps what is known.
TEST_F(FilterListsTest, AnotherFilterInTheStateLeadsToAList) {
  Filter({.objects = {{"worker-.*"}, {}}});
  List({About("worker-1", "90").Object()});
  Ledger::Collection& known = ledger.FindCollection("");
  const auto resumed = [this] { return Pipeline(world, "", clock, {}); };
  EXPECT_FALSE(resumed().FilterChanged());
  Filter({.objects = {{}, {"worker-.*"}}});
  EXPECT_TRUE(resumed().FilterChanged());
  Filter({.namespaces = {{}, {"a.*"}}, .objects = {{"worker-.*"}, {}}});
  EXPECT_TRUE(resumed().FilterChanged());
  Filter({.objects = {{"worker-.*"}, {}}});
  EXPECT_FALSE(resumed().FilterChanged());
  // Without lists of objects and messages.
  known.choice.filter = "cn 0 0 0 0 0 0 0 0 0 0";
  EXPECT_TRUE(resumed().FilterChanged());
  EXPECT_TRUE(resumed().ResumedWholeUntil().has_value());
  EXPECT_TRUE(known.has_baseline);
  // With another selector nothing is known of what it left out.
  Filter({.objects = {{"worker-1"}, {}}});
  EXPECT_FALSE(resumed().ResumedWholeUntil().has_value());
}

// What a queue cuts makes no difference to who gets it.
TEST_F(FilterListsTest, AQueuedOccurrenceMatchesWhatItsEventMatched) {
  const auto repeat = [](size_t bytes) {
    std::string text = "x";
    while (text.size() < bytes) text += "\xC3\xA9";
    return text + "end";
  };
  for (const size_t size :
       {size_t{510}, Occurrence::kMaxWord, EventFilter::kMaxMessage - 3,
        EventFilter::kMaxMessage, Occurrence::kMaxMessage,
        Occurrence::kMaxMessage + 1}) {
    const std::string text = repeat(size);
    Event event;
    event.event_namespace = event.object_namespace = text;
    event.kind = event.reason = event.reporting_component = text;
    event.object_name = event.message = text;
    const std::string bytes = EncodeOccurrence(Occurrence{event});
    const auto queued = DecodeOccurrence(bytes);
    ASSERT_TRUE(queued);
    std::vector<SharedFilter> filters;
    for (const char* expression : {".*end", ".*\xC3\xA9", "end", "\xC3\xA9$"}) {
      const FilterList list{{expression}, {}};
      for (const FilterOptions& options :
           {FilterOptions{.namespaces = list}, FilterOptions{.objects = list},
            FilterOptions{.kinds = list}, FilterOptions{.reasons = list},
            FilterOptions{.components = list},
            FilterOptions{.messages = list}}) {
        filters.push_back(std::make_shared<const EventFilter>(options));
      }
    }
    for (const Scope scope : {Scope::kCluster, Scope::kNamespaced}) {
      const uint32_t mask = MatchSinks(filters, LabelsOf(event, scope), event);
      EXPECT_NE(mask, 0U);
      EXPECT_EQ(MatchSinks(filters, LabelsOf(*queued, scope), *queued), mask)
          << size;
    }
  }
}

}  // namespace
}  // namespace kem

// What questions find in the history, page by page.
#include <algorithm>

#include "unit/history/history_reader_case.h"

namespace kem {
namespace {

TEST_F(HistoryReaderTest, FindsTheLatestFirstWithAllFields) {
  AddSamples();
  const FoundEvents found = Find({});
  ASSERT_EQ(found.events.size(), 4U);
  EXPECT_EQ(found.next, "");
  const FoundEvent& one = found.events[0];
  EXPECT_EQ(one.uid, "a");
  EXPECT_EQ(one.event_namespace, "default");
  EXPECT_EQ(one.name, "n1.17");
  EXPECT_EQ(one.api_version, "v1");
  EXPECT_EQ(one.kind, "Node");
  EXPECT_EQ(one.object_namespace, "");
  EXPECT_EQ(one.object_name, "n1");
  EXPECT_EQ(one.object_uid, "u-n1");
  EXPECT_EQ(one.reason, "Rebooted");
  EXPECT_EQ(one.type, "Warning");
  EXPECT_EQ(one.reporting_component, "kubelet");
  EXPECT_EQ(one.host, "n1");
  EXPECT_EQ(one.message, "Node n1 has been rebooted");
  EXPECT_TRUE(one.cluster_scoped);
  EXPECT_EQ(one.count, 3U);
  EXPECT_EQ(one.first_seen, kSampleTime);
  EXPECT_EQ(one.last_seen, kSampleTime + std::chrono::seconds(3));
  EXPECT_EQ(one.received, kSampleTime + std::chrono::minutes(4));
  ASSERT_EQ(one.jumps.size(), 2U);
  EXPECT_EQ(one.jumps[0].at, kSampleTime);
  EXPECT_EQ(one.jumps[0].delta, 1U);
  EXPECT_EQ(one.jumps[1].at, one.received);
  EXPECT_EQ(one.jumps[1].delta, 2U);
  EXPECT_EQ(Uids({}), "adcb");
}

TEST_F(HistoryReaderTest, FindsWhatMatchesAll) {
  AddSamples();
  EXPECT_EQ(Uids({.kind = "Node"}), "ab");
  EXPECT_EQ(Uids({.name = "n2"}), "b");
  EXPECT_EQ(Uids({.kind = "Pod", .name = "n2"}), "");
  EXPECT_EQ(Uids({.object_namespace = "team"}), "c");
  EXPECT_EQ(Uids({.object_namespace = ""}), "ab");
  EXPECT_EQ(Uids({.reason = "Rebooted"}), "a");
  EXPECT_EQ(Uids({.type = "Warning"}), "adc");
  EXPECT_EQ(Uids({.component = "scheduler"}), "d");
  EXPECT_EQ(Uids({.kind = "Pod", .component = "kubelet"}), "c");
  EXPECT_EQ(Uids({.object_uid = "u-n2"}), "b");
  EXPECT_EQ(Uids({.host = "n1"}), "ac");
  EXPECT_EQ(Uids({.kind = "Pod", .host = "n1"}), "c");
  EXPECT_EQ(Uids({.limit = 2}), "ad");
  EXPECT_EQ(Uids({.limit = 0}), "a");
}

TEST_F(HistoryReaderTest, FindsWordsInAnyCase) {
  AddSamples();
  const auto words = [this](std::vector<std::string> texts) {
    return Uids({.words = std::move(texts)});
  };
  EXPECT_EQ(words({"NODE"}), "ab");
  EXPECT_EQ(words({"node", "n2"}), "b");
  EXPECT_EQ(words({"reboot"}), "a") << "the beginning of a word";
  EXPECT_EQ(words({"back-off"}), "dc");
  EXPECT_EQ(words({"a/b:1"}), "dc");
  EXPECT_EQ(words({"off back"}), "") << "in this order";
  EXPECT_EQ(words({"nothing"}), "");
  EXPECT_EQ(words({"--", "\"", "ready"}), "b") << "punctuation only separates";
  EXPECT_EQ(Uids({.kind = "Node", .words = {"n2"}}), "b");
  EXPECT_EQ(Names({.words = {"back"}}), "p2:1/1 p1:1/1 ");
  // None of these is an expression.
  for (const char* text :
       {"a\" OR \"node", "node*", "^node", "message:node", "NEAR(a b)",
        "node NOT n2", "') OR 1=1 --", "\"\"\"", "{a b}: c", "+", "n1 + n2"}) {
    EXPECT_TRUE(reader_.FindEvents({.words = {text}}, {})) << text;
  }
  EXPECT_EQ(words({"a\" OR \"node"}), "");
  EXPECT_EQ(words({std::string("nod\0e", 5)}), "");
  EXPECT_EQ(words({"\xff\xfe"}), "");
}

TEST_F(HistoryReaderTest, TextsAreNoSql) {
  AddSamples();
  const std::string text = "' OR 1=1; DROP TABLE events; --";
  EXPECT_EQ(Uids({.kind = text}) + Uids({.name = text}) +
                Uids({.object_namespace = text}) + Uids({.reason = text}) +
                Uids({.type = text}) + Uids({.component = text}) +
                Uids({.name = "n_"}) + Uids({.name = "n%"}),
            "");
  EXPECT_EQ(Uids({}), "adcb");
}

TEST_F(HistoryReaderTest, FindsWhatHadOccurrencesInATime) {
  AddSamples();
  const auto between = [this](int from, int to) {
    EventQuery query;
    query.since = kSampleTime + std::chrono::minutes(from);
    query.until = kSampleTime + std::chrono::minutes(to);
    return Uids(query);
  };
  EXPECT_EQ(between(0, 1), "a");
  EXPECT_EQ(between(1, 4), "dcb") << "the Event a had none then";
  EXPECT_EQ(between(4, 5), "a");
  EXPECT_EQ(between(5, 9), "");
  EXPECT_EQ(Uids({.since = kSampleTime + std::chrono::minutes(3)}), "ad");
  EXPECT_EQ(Uids({.until = kSampleTime + std::chrono::minutes(1)}), "a");
  EXPECT_EQ(
      Uids({.words = {"node"}, .since = kSampleTime + std::chrono::minutes(1)}),
      "ab");
  EXPECT_EQ(Names({.since = kSampleTime + std::chrono::minutes(3)}),
            "n1:1/1 p2:1/1 ");
  EXPECT_EQ(Names({.until = kSampleTime + std::chrono::minutes(2)}),
            "n1:1/1 n2:1/0 ");
}

TEST_F(HistoryReaderTest, FindsObjects) {
  AddSamples();
  // The same name again, with another uid.
  Occurrence again = SampleOccurrence("e");
  again.object_uid = "u-other";
  again.type = "Normal";
  Add(again);
  EXPECT_EQ(Names({}), "n1:2/1 p2:1/1 p1:1/1 n2:1/0 ");
  EXPECT_EQ(Names({.kind = "Node"}), "n1:2/1 n2:1/0 ");
  EXPECT_EQ(Names({.type = "Warning"}), "n1:1/1 p2:1/1 p1:1/1 ");
  const Result<FoundObjects> found = reader_.FindObjects({.limit = 1}, {});
  ASSERT_TRUE(found);
  const FoundObject& object = found->objects.at(0);
  EXPECT_EQ(object.api_version + object.kind + object.object_namespace,
            "v1Node");
  EXPECT_TRUE(object.cluster_scoped);
  EXPECT_EQ(object.last_received, kSampleTime + std::chrono::minutes(5));
  std::string names;
  EventQuery query{.limit = 1};
  do {
    const Result<FoundObjects> page = reader_.FindObjects(query, {});
    ASSERT_TRUE(page);
    names += page->objects.at(0).name;
    query.cursor = page->next;
  } while (!query.cursor.empty());
  EXPECT_EQ(names, "n1p2p1n2");
}

// All Events of a batch are received at once; new ones come between the pages.
TEST_F(HistoryReaderTest, PagesHaveEachEventOnce) {
  std::vector<std::string> uids(100);
  std::vector<Occurrence> batch;
  for (std::string& uid : uids) {
    uid = std::to_string(&uid - uids.data());
    batch.push_back(SampleOccurrence(uid));
  }
  ASSERT_TRUE(file_.Append(batch));
  EventQuery query{.words = {"node"}, .limit = 7};
  std::vector<std::string> found;
  do {
    const FoundEvents page = Find(query);
    for (const FoundEvent& event : page.events) found.push_back(event.uid);
    query.cursor = page.next;
    Add(SampleOccurrence("new" + page.next));
  } while (!query.cursor.empty());
  std::reverse(found.begin(), found.end());
  EXPECT_EQ(found, uids);
}

TEST_F(HistoryReaderTest, RefusesWhatIsNoCursor) {
  AddSamples();
  for (const char* cursor : {"x", "1", "1-", "-1", "1-2-3", "1--2", "-1-2",
                             "99999999999999999999-1", "1-1 ", "0x1-1"}) {
    const Result<FoundEvents> found =
        reader_.FindEvents({.cursor = cursor}, {});
    ASSERT_FALSE(found) << cursor;
    EXPECT_EQ(found.error().code, ErrorCode::kRejected);
    EXPECT_FALSE(reader_.FindObjects({.cursor = cursor}, {}));
  }
  EXPECT_EQ(Uids({.cursor = "9223372036854775807-9223372036854775807"}),
            "adcb");
}

}  // namespace
}  // namespace kem

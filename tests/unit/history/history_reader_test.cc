// What questions find in the history, page by page, while it changes, and when
// it cannot be read.
#include "history/history_reader.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "history/current_history.h"
#include "history/history_file.h"
#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/history/sample_events.h"

// A question of a test has only what it asks for.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HistoryReaderTest : public ::testing::Test {
 protected:
  // One minute after the one before.
  void Add(const Occurrence& occurrence) {
    const Result<void> added = file_.Append(std::vector{occurrence});
    ASSERT_TRUE(added) << added.error().message;
    clock_.Advance(std::chrono::minutes(1));
  }
  // n1 and n2 are Nodes, p1 and p2 Pods of the namespaces team and other.
  void AddSamples() {
    Occurrence two = SampleOccurrence("b");
    two.object_name = "n2";
    two.reason = "NodeReady";
    two.type = "Normal";
    two.message = "Node n2 is ready";
    Occurrence pod = SampleOccurrence("c");
    pod.kind = "Pod";
    pod.scope = Scope::kNamespaced;
    pod.event_namespace = pod.object_namespace = "team";
    pod.object_name = "p1";
    pod.reason = "Failed";
    pod.message = "Back-off pulling image \"a/b:1\"";
    Occurrence other = pod;
    other.uid = "d";
    other.event_namespace = other.object_namespace = "other";
    other.object_name = "p2";
    other.reporting_component = "scheduler";
    Add(SampleOccurrence("a"));
    Add(two);
    Add(pod);
    Add(other);
    Add(SampleOccurrence("a", 3, 2));
  }
  FoundEvents Find(const EventQuery& query) {
    Result<FoundEvents> found = reader_.FindEvents(query, {});
    EXPECT_TRUE(found) << found.error().message;
    return found ? *found : FoundEvents();
  }
  std::string Uids(const EventQuery& query) {
    std::string uids;
    for (const FoundEvent& event : Find(query).events) uids += event.uid;
    return uids;
  }
  std::string Names(const EventQuery& query) {
    std::string names;
    const Result<FoundObjects> found = reader_.FindObjects(query, {});
    if (!found) return found.error().message;
    for (const FoundObject& object : found->objects) {
      names += object.name + ":" + std::to_string(object.events) + "/" +
               std::to_string(object.warnings) + " ";
    }
    return names;
  }

  TempFolder folder_;
  const std::string path_ = folder_.path() + "/history.db";
  FakeClock clock_;
  HistoryStatus status_;
  HistoryFile file_{path_, {}, clock_, status_};
  HistoryReader reader_{path_, clock_, status_};
};

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

TEST_F(HistoryReaderTest, APageHasAtMostSomeMegabytes) {
  const std::string message(4096, 'm');
  const std::string word(512, 'w');
  std::vector<std::string> uids(250);
  for (int round = 0; round < 2; ++round) {
    std::vector<Occurrence> batch;
    for (std::string& uid : uids) {
      uid = std::to_string(round) + "-" + std::to_string(&uid - uids.data());
      batch.push_back(SampleOccurrence(uid));
      batch.back().message = message;
      for (const auto text : {&Occurrence::name, &Occurrence::object_name,
                              &Occurrence::object_uid, &Occurrence::reason,
                              &Occurrence::reporting_component}) {
        batch.back().*text = word;
      }
      batch.back().object_version = uid;
    }
    ASSERT_TRUE(file_.Append(batch));
  }
  EventQuery query{.limit = 100'000};
  size_t events = 0;
  int pages = 0;
  do {
    const FoundEvents page = Find(query);
    EXPECT_LE(page.events.size(), EventQuery::kMaxLimit);
    size_t bytes = 0;
    for (const FoundEvent& event : page.events) {
      bytes += event.message.size() + event.reason.size() * 5;
    }
    EXPECT_LT(bytes, size_t{5} << 20);
    events += page.events.size();
    query.cursor = page.next;
    ++pages;
  } while (!query.cursor.empty());
  EXPECT_EQ(events, 500U);
}

// The clock of this test is also the deadline's.
class ExpiredClock : public FakeClock {
 public:
  SteadyTime SteadyNow() const override {
    return FakeClock::SteadyNow() + std::chrono::milliseconds(++calls_);
  }

 private:
  mutable int calls_ = 0;
};

TEST_F(HistoryReaderTest, EndsInTime) {
  std::vector<std::string> uids(250);
  for (int round = 0; round < 20; ++round) {
    std::vector<Occurrence> batch;
    for (std::string& uid : uids) {
      uid = std::to_string(round) + "-" + std::to_string(&uid - uids.data());
      batch.push_back(SampleOccurrence(uid));
    }
    ASSERT_TRUE(file_.Append(batch));
  }
  ExpiredClock clock;
  HistoryReader reader(path_, clock, status_);
  const Result<FoundEvents> late = reader.FindEvents({.limit = 500}, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(late.error().message,
            "the question takes longer than 200 ms; narrow it by kind, name, "
            "reason or time");
  EXPECT_TRUE(reader.FindEvents({.limit = 5}, {})) << "the next one works";
  std::stop_source stop;
  stop.request_stop();
  for (const EventQuery& query : {EventQuery{}, EventQuery{.words = {"node"}},
                                  EventQuery{.name = "n1"}}) {
    EXPECT_EQ(reader_.FindEvents(query, stop.get_token()).error().code,
              ErrorCode::kCancelled);
    EXPECT_EQ(reader_.FindObjects(query, stop.get_token()).error().code,
              ErrorCode::kCancelled);
  }
  EXPECT_EQ(Names({}), "n1:5000/5000 ");
  EXPECT_FALSE(status_.TakeDamage());
}

// Of more than 5,000 Events the latest are looked for in their order.
TEST_F(HistoryReaderTest, FindsTheSameAmongMany) {
  AddSamples();
  std::vector<std::string> uids(250);
  for (int round = 0; round < 24; ++round) {
    std::vector<Occurrence> batch;
    for (std::string& uid : uids) {
      uid = std::to_string(round) + "-" + std::to_string(&uid - uids.data());
      batch.push_back(SampleOccurrence(uid));
    }
    batch[3].message = "Node n1 has one disk";
    ASSERT_TRUE(file_.Append(batch));
    clock_.Advance(std::chrono::seconds(1));
  }
  const EventQuery query{.kind = "Node",
                         .name = "n1",
                         .reason = "Rebooted",
                         .words = {"rebooted"},
                         .limit = 2};
  EXPECT_EQ(Uids(query), "23-24923-248");
  EXPECT_EQ(Uids({.words = {"disk"}, .limit = 2}), "23-322-3");
  EXPECT_EQ(Names({.words = {"node"}}), "n1:6001/6001 n2:1/0 ");
  EXPECT_EQ(Names({.reason = "Rebooted"}), "n1:6001/6001 ");
}

TEST_F(HistoryReaderTest, IsEmptyWithoutAFile) {
  EXPECT_THAT(Find({}).events, IsEmpty());
  EXPECT_EQ(Names({}), "");
  EXPECT_EQ(reader_.KnownSince(), clock_.WallNow());
  AddSamples();
  EXPECT_EQ(Uids({}), "adcb");
  EXPECT_EQ(reader_.KnownSince(), kSampleTime);
  clock_.Advance(std::chrono::hours(14 * 24) + std::chrono::minutes(-2));
  ASSERT_TRUE(file_.Maintain());
  EXPECT_EQ(reader_.KnownSince(), kSampleTime + std::chrono::minutes(2));
}

TEST_F(HistoryReaderTest, FollowsAFileThatIsReplaced) {
  AddSamples();
  EXPECT_EQ(Uids({}), "adcb");
  std::filesystem::rename(path_, path_ + ".old");
  EXPECT_THAT(Find({}).events, IsEmpty());
  Add(SampleOccurrence("z"));
  EXPECT_EQ(Uids({}), "z");
}

TEST_F(HistoryReaderTest, ReportsDamage) {
  std::ofstream(path_) << "no database at all, but with some bytes in it\n";
  Result<FoundEvents> found = reader_.FindEvents({}, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(found.error().message,
              HasSubstr("the history cannot be read: " + path_));
  // With other tables no damage is known.
  status_.TakeDamage();
  std::filesystem::remove(path_);
  auto other = SqlConnection::Open(path_, SqlConnection::Access::kReadWrite,
                                   1 << 20, 1000);
  ASSERT_TRUE(other &&
              other->Run("CREATE TABLE events(a);PRAGMA user_version=1"));
  found = reader_.FindEvents({}, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(status_.TakeDamage());
}

TEST_F(HistoryReaderTest, ManyMayAsk) {
  AddSamples();
  RealClock clock;
  HistoryReader reader(path_, clock, status_);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&reader] {
      for (int k = 0; k < 20; ++k) {
        const Result<FoundEvents> found = reader.FindEvents({}, {});
        EXPECT_TRUE(found && found->events.size() == 4);
      }
    });
  }
}

TEST_F(HistoryReaderTest, TheConfigurationNamesTheCurrentOne) {
  AddSamples();
  CurrentHistory current(clock_);
  EXPECT_EQ(current.Source(), nullptr);
  EXPECT_FALSE(current.Report());
  current.Set(path_);
  const std::shared_ptr<EventSource> source = current.Source();
  current.status().SetProblem("a problem");
  current.Set(path_);
  EXPECT_EQ(current.Source(), source) << "the same one continues";
  EXPECT_EQ(current.Report()->problem, "a problem");
  current.Set(folder_.path() + "/other.db");
  EXPECT_NE(current.Source(), source);
  EXPECT_EQ(current.Report()->problem, "");
  EXPECT_EQ(source->FindEvents({}, {})->events.size(), 4U);
  current.Set(std::nullopt);
  EXPECT_EQ(current.Source(), nullptr);
  EXPECT_FALSE(current.Report());
}

}  // namespace
}  // namespace kem

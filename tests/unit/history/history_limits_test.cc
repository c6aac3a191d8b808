// Questions that cost much, and histories that cannot be read or are replaced.
#include <filesystem>
#include <fstream>
#include <thread>

#include "history/current_history.h"
#include "unit/history/history_reader_case.h"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

TEST_F(HistoryReaderTest, KeepsUuidsInSixteenBytes) {
  const std::string uuid = "7d9f7b0a-2c2e-4c5b-9f6a-1a2b3c4d5e6f";
  Add(SampleOccurrence(uuid));
  Add(SampleOccurrence(uuid, 3, 2));
  EXPECT_EQ(Ask(path_, "SELECT length(uid), typeof(uid), count FROM events", 3),
            "16|blob|3");
  ASSERT_EQ(Find({}).events.size(), 1U);
  EXPECT_EQ(Find({}).events[0].uid, uuid);
}

TEST_F(HistoryReaderTest, AClockFarInTheFutureRemovesNothing) {
  Add(SampleOccurrence("a"));
  const WallTime right = clock_.WallNow();
  clock_.SetWall(right + std::chrono::hours(24 * 3650));
  HistoryStatus status;
  HistoryFile next(path_, {}, clock_, status);  // of the next process
  EXPECT_TRUE(next.Maintain());
  Add(SampleOccurrence("b"));
  EXPECT_TRUE(file_.Maintain());
  EXPECT_TRUE(next.Maintain());
  EXPECT_EQ(Find({}).events.size(), 2U);
  clock_.SetWall(right);
  // Time that passes counts.
  clock_.Advance(std::chrono::hours(24 * 15));
  EXPECT_TRUE(file_.Maintain());
  EXPECT_EQ(Ask(path_, "SELECT uid FROM events"), "b");
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
  EXPECT_FALSE(status_.TakeDamage(path_));
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
  status_.TakeDamage(path_);
  std::filesystem::remove(path_);
  auto other = SqlConnection::Open(path_, SqlConnection::Access::kReadWrite,
                                   1 << 20, 1000);
  ASSERT_TRUE(other &&
              other->Run("CREATE TABLE events(a);PRAGMA user_version=1"));
  found = reader_.FindEvents({}, {});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(status_.TakeDamage(path_));
}

TEST_F(HistoryReaderTest, ManyMayAsk) {
  AddSamples();
  RealClock clock;
  HistoryReader reader(path_, clock, status_);
  std::vector<std::jthread> threads;
  threads.reserve(4);
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

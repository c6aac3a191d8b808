// What the history's file has after occurrences were added, also twice, and
// what is removed. The disk works; history_faults_test.cc has one that fails.
#include "history/history_file.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/history/sample_events.h"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class HistoryFileTest : public ::testing::Test {
 protected:
  void Append(const std::vector<Occurrence>& batch) {
    const Result<void> added = file_->Append(batch);
    EXPECT_TRUE(added) << added.error().message;
  }
  // Until nothing is due.
  void Maintain() {
    for (int i = 0; i < 1000; ++i) {
      const Result<bool> more = file_->Maintain();
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) return;
    }
    FAIL() << "there is always more to do";
  }
  void Reopen(HistoryLimits limits = {}) {
    file_.reset();
    file_ = std::make_unique<HistoryFile>(path_, limits, clock_, status_);
  }
  std::string Shown(std::string_view sql, int columns = 1) {
    return Ask(path_, sql, columns);
  }

  TempFolder folder_;
  const std::string path_ = folder_.path() + "/history.db";
  FakeClock clock_;
  HistoryStatus status_;
  std::unique_ptr<HistoryFile> file_ =
      std::make_unique<HistoryFile>(path_, HistoryLimits(), clock_, status_);
};

constexpr char kCounts[] =
    "SELECT uid, count, occurrences, (SELECT count(*) FROM jumps WHERE event = "
    "id), (SELECT sum(delta) FROM jumps WHERE event = id) FROM events ORDER BY "
    "uid";

TEST_F(HistoryFileTest, HasOneRowForEachEventWithItsOccurrences) {
  Append({SampleOccurrence("a"), SampleOccurrence("b")});
  clock_.Advance(std::chrono::seconds(5));
  Occurrence more = SampleOccurrence("a", 4, 3);
  more.message = "Node n1 has been rebooted again";
  Append({more});
  EXPECT_EQ(Shown(kCounts, 5), "a|4|4|2|4\nb|1|1|1|1");
  EXPECT_EQ(Shown("SELECT received, kind, namespace, name, type, reason, "
                  "reporting_component, count, message FROM event_list",
                  9),
            "2026-11-23 12:00:05|Node||n1|Warning|Rebooted|kubelet|4|Node n1 "
            "has been rebooted again\n"
            "2026-11-23 12:00:00|Node||n1|Warning|Rebooted|kubelet|1|Node n1 "
            "has been rebooted");
  EXPECT_EQ(Shown("SELECT (last_seen - first_seen) / 1000000, (received - "
                  "first_received) / 1000000 FROM events WHERE uid = 'a'",
                  2),
            "4|5");
  EXPECT_EQ(Shown("SELECT count(*) FROM objects"), "1");
  EXPECT_EQ(status_.Report().events, 2U);
  EXPECT_EQ(status_.Report().oldest, kSampleTime);
  EXPECT_GT(status_.Report().bytes, 4096U);
  EXPECT_EQ(Check(path_), "ok");
}

TEST_F(HistoryFileTest, CountsNothingTwice) {
  const std::vector<Occurrence> batch = {
      SampleOccurrence("a", 1), SampleOccurrence("a", 2),
      SampleOccurrence("b", 7, 7), SampleOccurrence("a", 4, 2)};
  Append(batch);
  Append(batch);
  Reopen();
  Append(batch);
  Append({batch[1], batch[2]});
  EXPECT_EQ(Shown(kCounts, 5), "a|4|4|1|4\nb|7|7|1|7");
  // After the loss of its state the exporter counts more than is new.
  Append({SampleOccurrence("a", 6, 5)});
  EXPECT_EQ(Shown("SELECT occurrences FROM events WHERE uid = 'a'"), "6");
}

TEST_F(HistoryFileTest, FollowsACountThatFalls) {
  std::vector<Occurrence> batch = {SampleOccurrence("a", 5, 5),
                                   SampleOccurrence("a", 1),
                                   SampleOccurrence("a", 2)};
  batch[1].resource_version = 200;
  batch[1].occurred_at = kSampleTime + std::chrono::seconds(10);
  batch[2].resource_version = 201;
  batch[2].occurred_at = kSampleTime + std::chrono::seconds(11);
  Append(batch);
  Append(batch);
  EXPECT_EQ(Shown(kCounts, 5), "a|2|7|1|7");
  // An older one with a lower count is none.
  Append({SampleOccurrence("a", 1)});
  EXPECT_EQ(Shown(kCounts, 5), "a|2|7|1|7");
}

// After a restore of etcd versions are lower.
TEST_F(HistoryFileTest, AddsLowerVersionsWithNewerTimes) {
  Append({SampleOccurrence("a", 5, 5)});
  Occurrence next = SampleOccurrence("a", 6);
  next.resource_version = 3;
  Append({next});
  EXPECT_EQ(Shown(kCounts, 5), "a|6|6|1|6");
}

TEST_F(HistoryFileTest, KeepsTheNewestJumps) {
  for (uint32_t i = 1; i <= 300; ++i) {
    clock_.Advance(std::chrono::seconds(1));
    Append({SampleOccurrence("a", i)});
  }
  EXPECT_EQ(Shown(kCounts, 5), "a|300|300|128|128");
  EXPECT_EQ(Shown("SELECT max(at) = (SELECT received FROM events) FROM jumps"),
            "1");
}

TEST_F(HistoryFileTest, FollowsAnEventThatChangesItsObject) {
  Append({SampleOccurrence("a")});
  Occurrence changed = SampleOccurrence("a", 2);
  changed.object_name = "n2";
  changed.reason = "NodeReady";
  changed.type = "Normal";
  changed.message = "something else";
  Append({changed});
  EXPECT_EQ(Shown("SELECT name, reason, message FROM event_list", 3),
            "n2|NodeReady|something else");
  EXPECT_EQ(Check(path_), "ok");
}

TEST_F(HistoryFileTest, TellsScopesApart) {
  Occurrence pod = SampleOccurrence("p");
  pod.kind = "Pod";
  pod.scope = Scope::kNamespaced;
  Occurrence with = pod;
  with.uid = "q";
  with.object_namespace = "team";
  Occurrence node = SampleOccurrence("n");
  node.object_namespace = "default";
  Append({pod, with, node});
  EXPECT_EQ(
      Shown("SELECT kind, namespace, cluster_scoped FROM objects ORDER BY "
            "kind, namespace",
            3),
      "Node||1\nPod|default|0\nPod|team|0");
}

TEST_F(HistoryFileTest, TakesAnyBytes) {
  const std::string text("\0a\xff\xfe'\"\x01", 7);
  Occurrence odd = SampleOccurrence(text);
  for (const auto word :
       {&Occurrence::event_namespace, &Occurrence::name, &Occurrence::kind,
        &Occurrence::object_name, &Occurrence::reason, &Occurrence::type,
        &Occurrence::message}) {
    odd.*word = text;
  }
  odd.resource_version = UINT64_MAX;
  odd.count = odd.delta = UINT32_MAX;
  odd.occurred_at = WallTime::max();
  odd.first_seen = WallTime::min();
  Append({odd});
  Append({odd});
  EXPECT_EQ(Shown("SELECT count(*), sum(occurrences) FROM events", 2),
            "1|4294967295");
  EXPECT_EQ(Shown("SELECT message FROM events"), text);
  // Without a uid, namespace and name identify an Event.
  Occurrence none = SampleOccurrence("");
  Append({none});
  Append({none});
  EXPECT_EQ(Shown("SELECT uid FROM events WHERE name = 'n1.17'"),
            "default/n1.17");
  EXPECT_EQ(Check(path_), "ok");
}

TEST_F(HistoryFileTest, RemovesWhatIsOld) {
  Reopen({.keep = std::chrono::hours(2)});
  const std::vector<std::string> uids = {"a", "b", "c"};
  for (const std::string& uid : uids) {
    Append({SampleOccurrence(uid)});
    clock_.Advance(std::chrono::hours(1));
  }
  // An Event stays while it grows.
  Append({SampleOccurrence("a", 2)});
  clock_.Advance(std::chrono::minutes(30));
  Maintain();
  EXPECT_EQ(Shown("SELECT uid FROM events ORDER BY uid"), "a\nc");
  EXPECT_EQ(
      Shown("SELECT (known_since - 1795435200000000) / 1000000 FROM about"),
      "3600");
  EXPECT_EQ(Check(path_), "ok");
  EXPECT_EQ(status_.Report().events, 2U);
  clock_.Advance(std::chrono::hours(3));
  Maintain();
  EXPECT_EQ(status_.Report().events, 0U);
  EXPECT_EQ(status_.Report().oldest, WallTime());
  EXPECT_EQ(Check(path_), "ok");
}

TEST_F(HistoryFileTest, StaysWithinItsSize) {
  constexpr uint64_t kMost = HistoryLimits::kMinBytes;
  Reopen({.max_bytes = kMost});
  const std::string message(4000, 'x');
  uint32_t number = 0;
  std::vector<std::string> texts(60);
  uint64_t largest = 0;
  // Each message is one word of its own: the most that the index of words can
  // need.
  for (int i = 0; i < 160; ++i) {
    std::vector<Occurrence> batch;
    for (std::string& text : texts) {
      text = std::to_string(++number);
      batch.push_back(SampleOccurrence(text));
      text += message;
      batch.back().uid = std::string_view(text).substr(0, text.size() - 4000);
      batch.back().message = text;
      batch.back().object_name = batch.back().uid;
    }
    // As the sink does.
    for (int tries = 0; !file_->Append(batch); ++tries) {
      ASSERT_LT(tries, 50);
      const Result<bool> more = file_->Maintain();
      ASSERT_TRUE(more) << i << more.error().message << status_.Report().bytes;
    }
    largest = std::max(largest, status_.Report().bytes);
    clock_.Advance(std::chrono::seconds(1));
  }
  EXPECT_LT(largest, kMost);
  EXPECT_GT(largest, kMost / 2);
  EXPECT_EQ(Shown("SELECT count(*) FROM events WHERE uid = '" +
                  std::to_string(number) + "'"),
            "1");
  EXPECT_GT(status_.Report().events, 1000U);
  EXPECT_LT(status_.Report().events, 10'000U);
  EXPECT_EQ(Check(path_), "ok");
  // A lower limit shrinks the file.
  clock_.Advance(std::chrono::hours(24 * 14));
  Maintain();
  file_.reset();
  EXPECT_LT(std::filesystem::file_size(path_), uint64_t{2} << 20);
}

TEST_F(HistoryFileTest, OnlyItsOwnerMayReadIt) {
  Append({SampleOccurrence("a")});
  for (const char* suffix : {"", "-wal"}) {
    EXPECT_EQ(std::filesystem::status(path_ + suffix).permissions(),
              std::filesystem::perms::owner_read |
                  std::filesystem::perms::owner_write);
  }
}

TEST_F(HistoryFileTest, BeginsANewFileWhenItsFileIsGone) {
  Append({SampleOccurrence("a")});
  std::filesystem::remove(path_);
  Append({SampleOccurrence("b")});
  EXPECT_EQ(Shown("SELECT uid FROM events"), "b");
  EXPECT_EQ(Check(path_), "ok");
}

TEST_F(HistoryFileTest, PutsADamagedFileAside) {
  std::ofstream(path_) << std::string("SQLite format 3\0", 16)
                       << "this is no database\n";
  Append({SampleOccurrence("a")});
  EXPECT_EQ(Shown("SELECT uid FROM events"), "a");
  EXPECT_EQ(status_.Report().put_aside, 1U);
  EXPECT_EQ(status_.Report().problem, "");
  EXPECT_TRUE(
      std::filesystem::exists(path_ + ".unusable-20261123T120000.000Z"));
  // What a reader finds counts as well.
  status_.NoteDamage(path_ + ".former");
  Maintain();
  EXPECT_EQ(status_.Report().put_aside, 1U) << "of another file";
  status_.NoteDamage(path_);
  clock_.Advance(std::chrono::seconds(1));
  Maintain();
  EXPECT_EQ(status_.Report().put_aside, 2U);
  EXPECT_EQ(Shown("SELECT count(*) FROM events"), "0");
}

TEST_F(HistoryFileTest, PutsAsideAFileThatIsDamagedInside) {
  std::vector<std::string> uids(2000);
  for (size_t i = 0; i < uids.size(); ++i) uids[i] = std::to_string(i);
  for (size_t i = 0; i < uids.size(); i += 200) {
    std::vector<Occurrence> batch;
    for (size_t k = i; k < i + 200; ++k) {
      batch.push_back(SampleOccurrence(uids[k]));
    }
    Append(batch);
  }
  file_.reset();
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8192);
    file << std::string(std::filesystem::file_size(path_) - 8192, '\xa5');
  }
  Reopen();
  Append({SampleOccurrence("new")});
  EXPECT_EQ(Shown("SELECT uid FROM events"), "new");
  EXPECT_EQ(status_.Report().put_aside, 1U);
}

TEST_F(HistoryFileTest, PutsANewerVersionAside) {
  Append({SampleOccurrence("a")});
  {
    auto other = SqlConnection::Open(path_, SqlConnection::Access::kReadWrite,
                                     1 << 20, 1000);
    ASSERT_TRUE(other && other->Run("PRAGMA user_version=99"));
  }
  Reopen();
  Append({SampleOccurrence("b")});
  EXPECT_EQ(Shown("SELECT uid FROM events"), "b");
  EXPECT_EQ(
      Ask(path_ + ".unusable-20261123T120000.000Z", "SELECT uid FROM events"),
      "a");
}

TEST_F(HistoryFileTest, LeavesADatabaseOfAnotherProgramAlone) {
  {
    auto other = SqlConnection::Open(path_, SqlConnection::Access::kReadWrite,
                                     1 << 20, 1000);
    ASSERT_TRUE(other && other->Run("CREATE TABLE songs(title)"));
  }
  const Result<void> added = file_->Append(std::vector{SampleOccurrence("a")});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().message,
            path_ +
                " is a database of another program; give the history a "
                "path of its own");
  EXPECT_EQ(status_.Report().problem, added.error().message);
  EXPECT_EQ(status_.Report().put_aside, 0U);
  EXPECT_EQ(Shown("SELECT count(*) FROM songs"), "0");
}

TEST_F(HistoryFileTest, NamesWhatItCannotOpen) {
  const std::string nowhere = folder_.path() + "/none/history.db";
  HistoryFile missing(nowhere, {}, clock_, status_);
  EXPECT_EQ(missing.Maintain().error().message,
            "cannot create " + nowhere + ": No such file or directory");
  HistoryFile directory(folder_.path(), {}, clock_, status_);
  EXPECT_THAT(directory.Maintain().error().message, StartsWith(folder_.path()));
  EXPECT_THAT(status_.Report().problem, HasSubstr("is not a regular file"));
}

TEST_F(HistoryFileTest, AReaderThatStaysStopsIt) {
  Reopen({.max_bytes = HistoryLimits::kMinBytes});
  Append({SampleOccurrence("a")});
  auto reader =
      SqlConnection::Open(path_, SqlConnection::Access::kRead, 1 << 20, 1000);
  ASSERT_TRUE(reader && reader->Run("BEGIN"));
  ASSERT_TRUE(reader->Integer("SELECT count(*) FROM events"));
  const std::string message(4000, 'y');
  std::vector<std::string> uids(200);
  Result<void> added;
  for (int i = 0; added && i < 100; ++i) {
    std::vector<Occurrence> batch;
    for (std::string& uid : uids) {
      uid = std::to_string(i) + "-" + std::to_string(&uid - uids.data());
      batch.push_back(SampleOccurrence(uid));
      batch.back().message = message;
    }
    added = file_->Append(batch);
  }
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message,
              HasSubstr("while another program reads " + path_));
  EXPECT_LT(status_.Report().bytes, HistoryLimits::kMinBytes);
  ASSERT_TRUE(reader->Run("COMMIT"));
  Append({SampleOccurrence("z")});
  EXPECT_EQ(status_.Report().problem, "");
}

}  // namespace
}  // namespace kem

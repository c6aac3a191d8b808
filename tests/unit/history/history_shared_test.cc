// A history beside other programs and other connections: its locks, a reader
// that does not end, files that are not its own. A disk that is full.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "history/history_file.h"
#include "history/history_reader.h"
#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/history/failing_vfs.h"
#include "unit/history/sample_events.h"

namespace kem {
namespace {

using ::testing::HasSubstr;

class SharedHistoryTest : public ::testing::Test {
 protected:
  SqlConnection OtherProgram() {
    auto other = SqlConnection::Open(path_, SqlConnection::Access::kReadWrite,
                                     1 << 20, 1000);
    EXPECT_TRUE(other);
    return std::move(*other);
  }
  // Those of this process on the file.
  int Locks() const {
    struct stat status = {};
    ::stat(path_.c_str(), &status);
    const std::string inode = ":" + std::to_string(status.st_ino) + " ";
    std::ifstream locks("/proc/locks");
    int count = 0;
    for (std::string line; std::getline(locks, line);) {
      count += line.find(inode) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  // Adds Events of which each takes 4 KiB.
  void Fill(int events) {
    const std::string message(4000, 'x');
    for (int i = 0; i < events; ++i) {
      const std::string uid = std::to_string(++number_);
      Occurrence one = SampleOccurrence(uid);
      one.message = message;
      ASSERT_TRUE(file_.Append(std::vector{one}));
    }
  }
  std::string Events() { return Ask(path_, "SELECT count(*) FROM events"); }

  TempFolder folder_;
  const std::string path_ = folder_.path() + "/history.db";
  FakeClock clock_;
  HistoryStatus status_;
  HistoryLimits limits_{.max_bytes = HistoryLimits::kMinBytes};
  int number_ = 0;
  HistoryFile file_{path_, limits_, clock_, status_};
};

TEST_F(SharedHistoryTest, AnotherWriterOfThisProcessReleasesNoLock) {
  ASSERT_TRUE(file_.Append(std::vector{SampleOccurrence("a")}));
  HistoryReader reader(path_, clock_, status_);
  ASSERT_TRUE(reader.FindEvents({}, {}));
  const int before = Locks();
  EXPECT_GT(before, 0);
  HistoryFile next(path_, limits_, clock_, status_);
  ASSERT_TRUE(next.Append(std::vector{SampleOccurrence("b")}));
  EXPECT_GE(Locks(), before);
}

TEST_F(SharedHistoryTest, AReaderThatDoesNotEndRemovesNothing) {
  Fill(2000);
  SqlConnection other = OtherProgram();
  ASSERT_TRUE(other.Run("BEGIN"));
  ASSERT_TRUE(other.Integer("SELECT count(*) FROM events"));
  Result<void> added;
  for (int i = 0; i < 1000 && added; ++i) {
    const std::string uid = "more" + std::to_string(i);
    Occurrence one = SampleOccurrence(uid);
    const std::string message(4000, 'y');
    one.message = message;
    added = file_.Append(std::vector{one});
  }
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("end that program"));
  const uint64_t events = status_.Report().events;
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(file_.Maintain());
  EXPECT_THAT(status_.Report().problem, HasSubstr("end that program"));
  ASSERT_TRUE(other.Run("COMMIT"));
  EXPECT_TRUE(file_.Maintain());
  EXPECT_EQ(status_.Report().problem, "");
  EXPECT_EQ(status_.Report().events, events);
}

TEST_F(SharedHistoryTest, AFullDiskRemovesNothing) {
  FailingVfs disk;
  HistoryFile file(path_, limits_, clock_, status_);
  const std::string message(4000, 'x');
  for (int i = 0; i < 3000; ++i) {
    const std::string uid = std::to_string(i);
    Occurrence one = SampleOccurrence(uid);
    one.message = message;
    ASSERT_TRUE(file.Append(std::vector{one})) << i;
  }
  disk.FailFrom(0, 1000, FailingVfs::Kind::kFull);
  EXPECT_FALSE(file.Append(std::vector{SampleOccurrence("full")}));
  disk.Heal();
  EXPECT_TRUE(file.Append(std::vector{SampleOccurrence("again")}));
  EXPECT_EQ(Events(), "3001");
}

TEST_F(SharedHistoryTest, AFileOfAnotherProgramStays) {
  const std::string text = "notes of another program\n";
  std::ofstream(path_) << text;
  const Result<void> added = file_.Append(std::vector{SampleOccurrence("a")});
  ASSERT_FALSE(added);
  std::ifstream kept(path_);
  std::string line;
  std::getline(kept, line);
  EXPECT_EQ(line + "\n", text);
  EXPECT_EQ(status_.Report().put_aside, 0U);
  EXPECT_NE(status_.Report().problem, "");
}

TEST_F(SharedHistoryTest, ANamedPipeIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  const Result<void> added = file_.Append(std::vector{SampleOccurrence("a")});
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message, HasSubstr("not a regular file"));
  HistoryReader reader(path_, clock_, status_);
  EXPECT_FALSE(reader.FindEvents({}, {}));
}

TEST_F(SharedHistoryTest, AFileWithoutItsTablesIsPutAside) {
  ASSERT_TRUE(file_.Append(std::vector{SampleOccurrence("a")}));
  ASSERT_TRUE(OtherProgram().Run("DROP TABLE jumps"));
  HistoryFile next(path_, limits_, clock_, status_);
  EXPECT_TRUE(next.Append(std::vector{SampleOccurrence("b")}));
  EXPECT_EQ(status_.Report().put_aside, 1U);
  EXPECT_EQ(Events(), "1");
}

TEST_F(SharedHistoryTest, CountsWhenAWritersClockStepsBack) {
  const auto add = [this](uint32_t count, uint64_t version, int time) {
    Occurrence one = SampleOccurrence("a", count);
    one.resource_version = version;
    one.occurred_at = kSampleTime + std::chrono::seconds(time);
    ASSERT_TRUE(file_.Append(std::vector{one}));
  };
  add(5, 10, 3600);
  add(6, 11, 10);
  add(1, 12, 20);
  add(2, 13, 30);
  EXPECT_EQ(Ask(path_, "SELECT count, occurrences FROM events", 2), "2|4");
}

}  // namespace
}  // namespace kem

// Whatever call of the disk fails, and for however long: the history then has
// exactly what was added, and no file is put aside.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <vector>

#include "history/history_file.h"
#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/history/failing_vfs.h"
#include "unit/history/sample_events.h"

namespace kem {
namespace {

constexpr HistoryLimits kLimits{std::chrono::hours(1),
                                HistoryLimits::kMinBytes};

// What the sink does, on a disk that fails as `disk` is set.
class Writer {
 public:
  Writer(const std::string& path, FailingVfs& disk)
      : disk_(disk), file_(path, kLimits, clock_, status_) {}

  // Adds batches, each until it is in, and removes what is old.
  void Run() {
    for (uint32_t i = 1; i <= 8; ++i) {
      const std::string other = "e" + std::to_string(i);
      std::vector<Occurrence> batch = {SampleOccurrence("a", 2 * i - 1),
                                       SampleOccurrence("a", 2 * i),
                                       SampleOccurrence(other)};
      batch[2].message = other;
      Repeat([&] { return bool{file_.Append(batch)}; });
      Repeat([&] { return bool{file_.Maintain()}; });
      clock_.Advance(std::chrono::minutes(10));
    }
    Repeat([&] { return bool{file_.Maintain()}; });
  }
  const HistoryStatus& status() const { return status_; }

 private:
  template <typename Attempt>
  void Repeat(Attempt attempt) {
    for (int i = 0; i < 200; ++i) {
      if (attempt()) return;
      EXPECT_NE(status_.Report().problem, "");
    }
    ADD_FAILURE() << "never succeeds: " << status_.Report().problem;
    disk_.Heal();
  }

  FailingVfs& disk_;
  FakeClock clock_;
  HistoryStatus status_;
  HistoryFile file_;
};

std::string Content(const std::string& path) {
  const std::string rows =
      Ask(path,
          "SELECT uid, count, occurrences, message, (SELECT "
          "group_concat(delta) FROM jumps WHERE event = events.id) FROM "
          "events ORDER BY id",
          5);
  return Check(path) + "\n" + rows;  // the last connection removes the WAL
}

TEST(HistoryFaultsTest, HasExactlyWhatWasAdded) {
  FailingVfs disk;
  const auto run = [&](uint64_t first, uint64_t many, FailingVfs::Kind kind) {
    const TempFolder folder;
    const std::string path = folder.path() + "/history.db";
    disk.FailFrom(first, many, kind);
    {
      Writer writer(path, disk);
      writer.Run();
      EXPECT_EQ(writer.status().Report().put_aside, 0U);
      EXPECT_EQ(writer.status().Report().problem, "");
    }
    const uint64_t calls = disk.calls();
    disk.Heal();
    const std::string content = Content(path);
    EXPECT_EQ(
        std::distance(std::filesystem::directory_iterator(folder.path()), {}),
        1)
        << "only the file is left";
    return std::pair(calls, content);
  };
  const auto [calls, right] = run(UINT64_MAX, 0, FailingVfs::Kind::kError);
  ASSERT_EQ(right.substr(0, 3), "ok\n") << right;
  ASSERT_GT(calls, 200U);
  for (const auto kind : {FailingVfs::Kind::kError, FailingVfs::Kind::kFull,
                          FailingVfs::Kind::kShort}) {
    for (const uint64_t many : {1U, 2U, 7U, 50U}) {
      // Each number of calls begins elsewhere in the transactions.
      const uint64_t stride = many == 1 ? 13 : 53;
      for (uint64_t first = 0; first < calls; first += stride) {
        const std::string content = run(first, many, kind).second;
        ASSERT_EQ(content, right) << "from call " << first << " on " << many;
      }
    }
  }
}

// The disk fails for good, and so does the process; the next one adds again
// what was not acknowledged.
TEST(HistoryFaultsTest, SurvivesTheEndOfTheProcess) {
  FailingVfs disk;
  const std::vector<Occurrence> first = {SampleOccurrence("a"),
                                         SampleOccurrence("b")};
  const std::vector<Occurrence> second = {SampleOccurrence("a", 2),
                                          SampleOccurrence("c")};
  FakeClock clock;
  HistoryStatus status;
  uint64_t reached = 0;
  for (uint64_t call = 0; call <= reached; call += 3) {
    const TempFolder folder;
    const std::string path = folder.path() + "/history.db";
    disk.FailFrom(call, UINT64_MAX, FailingVfs::Kind::kShort);
    std::vector<bool> added;
    {
      HistoryFile file(path, kLimits, clock, status);
      added.push_back(bool{file.Append(first)});
      added.push_back(bool{file.Append(second)});
      if (disk.failed() > 0) reached = call + 3;
    }
    disk.Heal();
    HistoryFile file(path, kLimits, clock, status);
    // The last acknowledgement may be lost too.
    EXPECT_TRUE(added[0] || file.Append(first));
    EXPECT_TRUE(file.Append(second));
    ASSERT_EQ(Ask(path, "SELECT uid, occurrences FROM events ORDER BY uid", 2),
              "a|2\nb|1\nc|1")
        << call;
    ASSERT_EQ(Check(path), "ok") << call;
  }
  EXPECT_GT(reached, 20U);
  EXPECT_EQ(status.Report().put_aside, 0U);
}

}  // namespace
}  // namespace kem

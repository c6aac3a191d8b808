#include "state/state_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "testing/temp_folder.h"

namespace kem {
namespace {

using ::testing::HasSubstr;

class StateFilesTest : public ::testing::Test {
 protected:
  std::string Bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void Put(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::string Refusal(const std::string& bytes) {
    Put(path, bytes);
    const auto read = ReadSnapshot(files, path);
    return read ? "read" : read.error().message;
  }

  DiskFileSystem files;
  TempFolder folder;
  const std::string path = folder.path() + "/state";
};

TEST_F(StateFilesTest, SnapshotIsReadAsWritten) {
  const std::string payload("a\0b", 3);
  ASSERT_TRUE(WriteSnapshot(files, path, {7, payload}));
  const auto read = ReadSnapshot(files, path);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->generation, 7U);
  EXPECT_EQ((*read)->payload, payload);
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST_F(StateFilesTest, SnapshotIsForItsOwnerOnly) {
  ASSERT_TRUE(WriteSnapshot(files, path, {1, "x"}));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(StateFilesTest, NoSnapshotIsNoError) {
  const auto read = ReadSnapshot(files, path);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST_F(StateFilesTest, EveryCutAndEveryFlippedByteIsNoticed) {
  ASSERT_TRUE(WriteSnapshot(files, path, {7, "payload"}));
  const std::string whole = Bytes(path);
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_NE(Refusal(whole.substr(0, i)), "read") << i;
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    EXPECT_NE(Refusal(flipped), "read") << i;
  }
  EXPECT_NE(Refusal(whole + "x"), "read");
}

TEST_F(StateFilesTest, RefusalsSayWhatItIs) {
  EXPECT_THAT(Refusal("something else, and long enough for a head"),
              HasSubstr("is not a state of kube-event-metrics"));
  ASSERT_TRUE(WriteSnapshot(files, path, {7, "payload"}));
  std::string newer = Bytes(path);
  EXPECT_THAT(Refusal(newer.substr(0, 30)), HasSubstr("is cut off"));
  newer[8] = 9;
  EXPECT_THAT(Refusal(newer), HasSubstr("newer kube-event-metrics (format 9"));
}

TEST_F(StateFilesTest, AFailedWriteKeepsTheOldOne) {
  ASSERT_TRUE(WriteSnapshot(files, path, {1, "good"}));
  // A folder is in the place of the temporary file.
  std::filesystem::create_directory(path + ".tmp");
  const auto wrote = WriteSnapshot(files, path, {2, "new"});
  ASSERT_FALSE(wrote);
  EXPECT_THAT(wrote.error().message, HasSubstr("cannot write " + path));
  EXPECT_EQ((*ReadSnapshot(files, path))->payload, "good");
}

TEST_F(StateFilesTest, AFullDiskIsAnErrorAndLeavesNothingBehind) {
  Put(path, "kept");
  std::filesystem::create_symlink("/dev/full", path + ".tmp");
  const auto wrote = WriteSnapshot(files, path, {2, std::string(1 << 20, 'x')});
  ASSERT_FALSE(wrote);
  EXPECT_THAT(wrote.error().message, HasSubstr("No space left"));
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
  EXPECT_EQ(Bytes(path), "kept");
}

TEST_F(StateFilesTest, CheckReportsWhetherAStateCanBeKept) {
  EXPECT_TRUE(CheckStateFile(files, path));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  ASSERT_TRUE(WriteSnapshot(files, path, {1, "x"}));
  EXPECT_TRUE(CheckStateFile(files, path));
  Put(path, "no state");
  const auto damaged = CheckStateFile(files, path);
  ASSERT_FALSE(damaged);
  EXPECT_THAT(damaged.error().message, HasSubstr("would move it aside"));
  const auto missing = CheckStateFile(files, folder.path() + "/missing/state");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message,
              HasSubstr("cannot write to " + folder.path() + "/missing"));
}

TEST_F(StateFilesTest, JournalReadsBackWholeBatches) {
  const std::string journal = JournalPath(path, 3);
  {
    auto file = JournalFile::Create(files, journal, 3);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Append("one"));
    ASSERT_TRUE(file->Append("two"));
    EXPECT_EQ(file->size(), Bytes(journal).size());
  }
  const auto read = ReadJournal(files, journal, 3);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->steps, "onetwo");
  EXPECT_EQ((*read)->torn, 0U);
}

TEST_F(StateFilesTest, JournalEndsBeforeATornBatch) {
  const std::string journal = JournalPath(path, 3);
  {
    auto file = JournalFile::Create(files, journal, 3);
    ASSERT_TRUE(file->Append("one"));
    ASSERT_TRUE(file->Append("two"));
  }
  const std::string whole = Bytes(journal);
  for (size_t cut = 1; cut <= 15; ++cut) {
    Put(journal, whole.substr(0, whole.size() - cut));
    const auto read = ReadJournal(files, journal, 3);
    ASSERT_TRUE(read);
    EXPECT_EQ((*read)->steps, "one") << cut;
    EXPECT_EQ((*read)->torn, 15 - cut);
  }
  std::string swapped = whole.substr(0, 20);
  swapped += whole.substr(35) + whole.substr(20, 15);
  Put(journal, swapped);
  EXPECT_EQ((*ReadJournal(files, journal, 3))->steps, "");
}

TEST_F(StateFilesTest, JournalOfAnotherGenerationIsNone) {
  const std::string journal = JournalPath(path, 3);
  ASSERT_TRUE(JournalFile::Create(files, journal, 3));
  EXPECT_FALSE((*ReadJournal(files, journal, 4)).has_value());
  EXPECT_FALSE((*ReadJournal(files, JournalPath(path, 5), 5)).has_value());
}

}  // namespace
}  // namespace kem

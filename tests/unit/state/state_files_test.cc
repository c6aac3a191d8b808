#include "state/state_files.h"

#include <gmock/gmock.h>

#include <vector>

#include "state/snapshot_file.h"
#include "testing/fake_file_system.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Next = BatchReader::Next;

constexpr char kPath[] = "/folder/state";
constexpr uint64_t kDigest = 7;
constexpr size_t kHead = 20;
constexpr size_t kBatchHead = 12;

class StateFilesTest : public ::testing::Test {
 protected:
  // The batches of a file, and how it ends.
  struct Content {
    std::vector<std::string> batches;
    Next end = Next::kCut;
    uint64_t left = 0;
  };
  Content Read(StateFile kind) {
    Content content;
    auto reader = BatchReader::Open(files, kPath, kind);
    if (!reader) return content;
    std::string batch;
    while (true) {
      const auto next = reader->Read(batch);
      content.end = *next;
      content.left = reader->left();
      if (*next != Next::kBatch) return content;
      content.batches.push_back(batch);
    }
  }
  std::string Refusal(const std::string& bytes) {
    files.Put(kPath, bytes);
    const auto reader = BatchReader::Open(files, kPath, StateFile::kSnapshot);
    return reader ? "read" : reader.error().message;
  }
  void WriteSnapshot(const std::vector<std::string>& pieces) {
    SnapshotFile file(files, kPath);
    ASSERT_TRUE(file.Begin(kDigest));
    for (const std::string& piece : pieces) ASSERT_TRUE(file.Append(piece));
    while (file.Settle()) {
    }
    ASSERT_TRUE(file.Finish());
  }

  FakeFileSystem files;
};

TEST_F(StateFilesTest, ASnapshotIsReadAsWritten) {
  WriteSnapshot({std::string("a\0b", 3), "c"});
  const Content content = Read(StateFile::kSnapshot);
  EXPECT_THAT(content.batches, ElementsAre(std::string("a\0b", 3), "c"));
  EXPECT_EQ(content.end, Next::kEnd);
  EXPECT_EQ(content.left, 0U);
  EXPECT_EQ(BatchReader::Open(files, kPath, StateFile::kSnapshot)->after(),
            kDigest);
  EXPECT_THAT(files.Paths(), ElementsAre(kPath));
  EXPECT_EQ(files.After(FakeFileSystem::Crash::kPower)->Bytes(kPath),
            files.Bytes(kPath));
}

TEST_F(StateFilesTest, AnAbsentFileIsNotFound) {
  const auto reader = BatchReader::Open(files, kPath, StateFile::kSnapshot);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kNotFound);
}

TEST_F(StateFilesTest, EveryCutAndEveryFlippedByteIsNoticed) {
  WriteSnapshot({"pay", "load"});
  const std::string whole = files.Bytes(kPath);
  const auto is_whole = [&](const std::string& bytes) {
    files.Put(kPath, bytes);
    const Content content = Read(StateFile::kSnapshot);
    return content.end == Next::kEnd && content.left == 0;
  };
  ASSERT_TRUE(is_whole(whole));
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(is_whole(whole.substr(0, i))) << i;
    std::string flipped = whole;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    EXPECT_FALSE(is_whole(flipped)) << i;
  }
  EXPECT_FALSE(is_whole(whole + "x"));
}

TEST_F(StateFilesTest, RefusalsNameTheReason) {
  EXPECT_THAT(Refusal("something else, and long enough for a head"),
              HasSubstr("is not a state of kube-event-metrics"));
  WriteSnapshot({"payload"});
  const std::string whole = files.Bytes(kPath);
  EXPECT_THAT(Refusal(whole.substr(0, 18)), HasSubstr("is cut off"));
  std::string other = whole;
  other[8] = 9;
  EXPECT_THAT(Refusal(other),
              HasSubstr("is of a newer kube-event-metrics (format 9, known is "
                        "3)"));
  other[8] = 1;
  EXPECT_THAT(Refusal(other),
              HasSubstr("is of an older kube-event-metrics (format 1, known "
                        "is 3)"));
}

TEST_F(StateFilesTest, AFailedSnapshotKeepsTheOldOneAndLeavesNothingBehind) {
  WriteSnapshot({"good"});
  const std::string good = files.Bytes(kPath);
  const int first = files.calls;
  WriteSnapshot({"good"});
  const int calls = files.calls - first;
  ASSERT_EQ(calls, 7);  // create, 3 writes, sync, rename, sync of the folder
  for (int call = 0; call < calls - 1; ++call) {
    files.failing = {files.calls + call};
    SnapshotFile file(files, kPath);
    Result<void> wrote = file.Begin(8);
    if (wrote) wrote = file.Append("bad");
    if (wrote) wrote = file.Finish();
    ASSERT_FALSE(wrote) << call;
    EXPECT_FALSE(file.in_place());
    file.Abandon();
    EXPECT_EQ(files.Bytes(kPath), good);
    // The name of a file that could not be created is not touched.
    if (call > 1) {
      EXPECT_THAT(files.Paths(), ElementsAre(kPath)) << call;
    }
  }
}

TEST_F(StateFilesTest, AJournalReadsBackWholeBatches) {
  auto file = BatchWriter::Create(files, kPath, StateFile::kJournal, kDigest);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->digest(), kDigest);
  ASSERT_TRUE(file->Append("one"));
  EXPECT_EQ(file->digest(), DigestAfter(kDigest, "one"));
  ASSERT_TRUE(file->Append("two"));
  EXPECT_EQ(file->size(), files.Bytes(kPath).size());
  const Content content = Read(StateFile::kJournal);
  EXPECT_THAT(content.batches, ElementsAre("one", "two"));
  EXPECT_EQ(content.left, 0U);
  EXPECT_TRUE(Read(StateFile::kSnapshot).batches.empty());
}

TEST_F(StateFilesTest, AJournalEndsBeforeATornBatch) {
  auto file = BatchWriter::Create(files, kPath, StateFile::kJournal, kDigest);
  ASSERT_TRUE(file->Append("one"));
  ASSERT_TRUE(file->Append("two"));
  const std::string whole = files.Bytes(kPath);
  for (size_t cut = 1; cut <= kBatchHead + 3; ++cut) {
    files.Put(kPath, whole.substr(0, whole.size() - cut));
    const Content content = Read(StateFile::kJournal);
    EXPECT_THAT(content.batches, ElementsAre("one")) << cut;
    EXPECT_EQ(content.left, kBatchHead + 3 - cut);
  }
}

// Whatever is missing or in the wrong place, nothing after it is read.
TEST_F(StateFilesTest, ABatchIsOnlyReadAfterThoseItFollowed) {
  auto file = BatchWriter::Create(files, kPath, StateFile::kJournal, kDigest);
  ASSERT_TRUE(file->Append("one"));
  ASSERT_TRUE(file->Append("two"));
  const std::string whole = files.Bytes(kPath);
  const std::string head = whole.substr(0, kHead);
  const std::string one = whole.substr(kHead, kBatchHead + 3);
  const std::string two = whole.substr(kHead + kBatchHead + 3);
  for (const std::string& wrong : {head + two, head + two + one}) {
    files.Put(kPath, wrong);
    EXPECT_TRUE(Read(StateFile::kJournal).batches.empty());
  }
  files.Put(kPath, head + one + one + two);
  EXPECT_THAT(Read(StateFile::kJournal).batches, ElementsAre("one"));
}

TEST_F(StateFilesTest, AppendAgainAfterAFailure) {
  auto file = BatchWriter::Create(files, kPath, StateFile::kJournal, kDigest);
  ASSERT_TRUE(file->Append("one"));
  files.failing = {files.calls};
  EXPECT_FALSE(file->Append("a long batch, half of which is written"));
  EXPECT_THAT(Read(StateFile::kJournal).batches, ElementsAre("one"));
  ASSERT_TRUE(file->Append("two"));
  EXPECT_THAT(Read(StateFile::kJournal).batches, ElementsAre("one", "two"));
}

}  // namespace
}  // namespace kem

#include "base/file_system.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "testing/temp_folder.h"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class FileSystemTest : public ::testing::Test {
 protected:
  std::string Bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  DiskFileSystem files;
  TempFolder folder;
  const std::string path = folder.path() + "/file";
};

TEST_F(FileSystemTest, WritesAtAnyOffsetAndReadsItBack) {
  auto file = files.Create(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Write(0, "abcdef"));
  ASSERT_TRUE((*file)->Write(2, "XY"));
  ASSERT_TRUE((*file)->Write(6, "gh"));
  (*file)->WriteBack(0, 8);
  ASSERT_TRUE((*file)->Sync());
  ASSERT_TRUE(files.SyncFile(path));
  ASSERT_TRUE(files.SyncFolder(folder.path()));
  EXPECT_EQ(Bytes(path), "abXYefgh");
  auto read = files.Open(path);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->size(), 8U);
  EXPECT_EQ(*(*read)->Read(1, 3), "bXY");
  EXPECT_EQ(*(*read)->Read(6, 100), "gh");
  EXPECT_EQ(*(*read)->Read(9, 1), "");
}

TEST_F(FileSystemTest, CreateEmptiesAFileAndIsForItsOwnerOnly) {
  std::ofstream(folder.path() + "/other") << "long content";
  ASSERT_TRUE(files.Create(folder.path() + "/other"));
  EXPECT_EQ(Bytes(folder.path() + "/other"), "");
  ASSERT_TRUE(files.Create(path));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(FileSystemTest, AnAbsentFileIsNoErrorForOpenAndRemove) {
  const auto file = files.Open(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(*file, nullptr);
  EXPECT_TRUE(files.Remove(path));
}

TEST_F(FileSystemTest, OpensOnlyRegularFiles) {
  const auto opened = files.Open(folder.path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("is not a regular file"));
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(files.Open(path));  // and does not wait for a writer
}

TEST_F(FileSystemTest, RenamesListsAndRemoves) {
  ASSERT_TRUE(files.Create(path));
  ASSERT_TRUE(files.Rename(path, folder.path() + "/b"));
  ASSERT_TRUE(files.Create(folder.path() + "/c"));
  EXPECT_THAT(*files.List(folder.path()),
              UnorderedElementsAre(".", "..", "b", "c"));
  ASSERT_TRUE(files.Remove(folder.path() + "/b"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/b"));
}

TEST_F(FileSystemTest, ErrorsNameTheFileAndTheReason) {
  const std::string missing = folder.path() + "/missing";
  const std::string reason = ": No such file or directory";
  EXPECT_EQ(files.Create(missing + "/f").error().message,
            "cannot write " + missing + "/f" + reason);
  EXPECT_EQ(files.List(missing).error().message,
            "cannot list " + missing + reason);
  EXPECT_EQ(files.SyncFile(missing).error().message,
            "cannot sync " + missing + reason);
  EXPECT_EQ(files.SyncFolder(missing).error().message,
            "cannot sync " + missing + reason);
  EXPECT_EQ(files.CheckFolder(missing).error().message,
            "cannot write to " + missing + reason);
  EXPECT_EQ(files.Lock(missing + "/l").error().message,
            "cannot lock " + missing + "/l" + reason);
  EXPECT_EQ(files.Rename(missing, path).error().message,
            "cannot rename " + missing + " to " + path + reason);
  EXPECT_TRUE(files.CheckFolder(folder.path()));
  std::filesystem::create_symlink("/dev/full", path);
  auto full = files.Create(path);
  ASSERT_TRUE(full);
  EXPECT_EQ((*full)->Write(0, "x").error().message,
            "cannot write " + path + ": No space left on device");
}

TEST_F(FileSystemTest, ALockIsForOneHolderAtATime) {
  auto first = files.Lock(path);
  ASSERT_TRUE(first);
  ASSERT_NE(*first, nullptr);
  const auto second = files.Lock(path);
  ASSERT_TRUE(second);
  EXPECT_EQ(*second, nullptr);
  first->reset();
  EXPECT_NE(*files.Lock(path), nullptr);
}

TEST_F(FileSystemTest, FolderOfAPath) {
  EXPECT_EQ(FolderOf("/a/b"), "/a");
  EXPECT_EQ(FolderOf("/a"), "/");
  EXPECT_EQ(FolderOf("a"), ".");
}

}  // namespace
}  // namespace kem

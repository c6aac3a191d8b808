#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/file_reader.h"

namespace kem {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "kem_file_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }

  std::string folder_;
};

TEST_F(FileTest, ReadsAWholeFileAsItIs) {
  std::string content(100000, 'x');
  content[5] = '\0';
  content[6] = '\n';
  std::ofstream(Path("f"), std::ios::binary) << content;
  const Result<std::string> read = ReadFile(Path("f"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, content);
}

TEST_F(FileTest, ReadsAnEmptyFile) {
  std::ofstream(Path("f")).close();
  EXPECT_EQ(*ReadFile(Path("f")), "");
}

TEST_F(FileTest, TellsWhichFileAndWhy) {
  const Result<std::string> missing = ReadFile(Path("none"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "cannot read " + Path("none") + ": No such file or directory");
  const Result<std::string> folder = ReadFile(folder_);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().message,
            "cannot read " + folder_ + ": Is a directory");
}

TEST_F(FileTest, RefusesWhatDoesNotFit) {
  std::ofstream(Path("f")).close();
  std::filesystem::resize_file(Path("f"), (16U << 20U) + 1);
  const Result<std::string> read = ReadFile(Path("f"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kTooLarge);
  std::filesystem::resize_file(Path("f"), 16U << 20U);
  EXPECT_TRUE(ReadFile(Path("f")));
}

TEST_F(FileTest, RefusesAnEndlessDevice) {
  EXPECT_EQ(ReadFile("/dev/zero").error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace kem

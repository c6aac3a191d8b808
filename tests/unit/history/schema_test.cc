// How a file gets the tables of a newer version.
#include "history/schema.h"

#include <gtest/gtest.h>

#include <vector>

#include "testing/temp_folder.h"
#include "unit/history/sample_events.h"

namespace kem {
namespace {

TEST(HistorySchemaTest, TakesAnOlderFileToTheNewestVersion) {
  const TempFolder folder;
  const std::string path = folder.path() + "/history.db";
  auto file = SqlConnection::Open(path, SqlConnection::Access::kReadWrite,
                                  1 << 20, 1000);
  ASSERT_TRUE(file);
  std::vector<const char*> steps(HistorySchema().begin(),
                                 HistorySchema().end());
  ASSERT_TRUE(PrepareSchema(*file, steps, kSampleTime));
  const std::string before = Ask(path, "PRAGMA user_version");
  steps.push_back("ALTER TABLE events ADD COLUMN extra TEXT");
  steps.push_back("UPDATE events SET extra = 'x'; CREATE TABLE more(a)");
  ASSERT_TRUE(PrepareSchema(*file, steps, kSampleTime));
  EXPECT_EQ(Ask(path, "SELECT count(*) FROM more"), "0");
  EXPECT_EQ(Ask(path, "PRAGMA user_version"),
            std::to_string(std::stoi(before) + 2));
  // A step that fails leaves the version before it.
  steps.push_back("CREATE TABLE third(a); CREATE TABLE more(a)");
  EXPECT_FALSE(PrepareSchema(*file, steps, kSampleTime));
  ASSERT_TRUE(file->Run("ROLLBACK"));
  EXPECT_EQ(Ask(path, "PRAGMA user_version"),
            std::to_string(std::stoi(before) + 2));
  EXPECT_EQ(
      Ask(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'third'"),
      "0");
  // Readers of another program cannot use what the schema has.
  EXPECT_EQ(Ask(path, "PRAGMA application_id"),
            std::to_string(kHistoryApplicationId));
}

TEST(HistorySchemaTest, PacksUuids) {
  const std::string uuid = "7d9f7b0a-2c2e-4c5b-9f6a-1a2b3c4d5e6f";
  const auto bytes = PackUuid(uuid);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->size(), 16U);
  EXPECT_EQ(UnpackUuid(*bytes), uuid);
  for (const char* other :
       {"", "7d9f7b0a", "default/n1.17", "7D9f7b0a-2c2e-4c5b-9f6a-1a2b3c4d5e6f",
        "7d9f7b0a-2c2e-4c5b-9f6a-1a2b3c4d5e6g",
        "7d9f7b0a02c2e-4c5b-9f6a-1a2b3c4d5e6f",
        "7d9f7b0a-2c2e-4c5b-9f6a-1a2b3c4d5e6f0"}) {
    EXPECT_FALSE(PackUuid(other)) << other;
  }
}

}  // namespace
}  // namespace kem

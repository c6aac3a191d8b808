#include "base/probing_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace kem {
namespace {

class ProbingTableTest : public ::testing::Test {
 protected:
  auto KeyOf() {
    return [this](uint32_t number) -> const Hash128& {
      ++reads;
      return keys[number];
    };
  }
  Hash128 NewKey() { return {random(), random()}; }

  std::mt19937_64 random{7};
  std::vector<Hash128> keys;
  size_t reads = 0;  // of keys
  ProbingTable table{16};
};

// Counting waits for whatever one call does, also while the table grows.
TEST_F(ProbingTableTest, NoCallTakesTimeForAllEntries) {
  size_t most = 0;
  for (uint32_t number = 0; number < 200'000; ++number) {
    keys.push_back(NewKey());
    reads = 0;
    table.Insert(number, KeyOf());
    EXPECT_EQ(table.Find(keys[number / 2], KeyOf()), number / 2);
    EXPECT_EQ(table.Find(NewKey(), KeyOf()), ProbingTable::kNone);
    most = std::max(most, reads);
  }
  EXPECT_LT(most, 500U);
}

TEST_F(ProbingTableTest, FindsWhatWasInsertedAndNotErased) {
  std::map<uint32_t, Hash128> present;
  std::vector<uint32_t> free;
  for (int i = 0; i < 50'000; ++i) {
    if (random() % 5 > 1 || present.empty()) {
      auto number = static_cast<uint32_t>(keys.size());
      if (free.empty()) {
        keys.emplace_back();
      } else {
        number = free.back();
        free.pop_back();
      }
      // Few values of `low`, so that the searches of many keys meet.
      present[number] = keys[number] = {random() % 30'000, random()};
      table.Insert(number, KeyOf());
    } else {
      auto at =
          present.lower_bound(static_cast<uint32_t>(random() % keys.size()));
      if (at == present.end()) at = present.begin();
      table.Erase(at->first, KeyOf());
      EXPECT_EQ(table.Find(at->second, KeyOf()), ProbingTable::kNone);
      free.push_back(at->first);
      present.erase(at);
    }
    if (i % 997 != 0) continue;
    for (const auto& [number, key] : present) {
      ASSERT_EQ(table.Find(key, KeyOf()), number) << i;
    }
  }
}

}  // namespace
}  // namespace kem

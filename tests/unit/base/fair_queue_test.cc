#include "base/fair_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace kem {
namespace {

std::vector<int> PopAll(FairQueue<int>& queue) {
  std::vector<int> all;
  while (!queue.empty()) all.push_back(queue.Pop());
  return all;
}

TEST(FairQueueTest, ServesOneGroupInOrder) {
  FairQueue<int> queue;
  for (int i = 0; i < 5; ++i) queue.Push("a", i);
  EXPECT_EQ(queue.size(), 5U);
  EXPECT_EQ(PopAll(queue), (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(queue.size(), 0U);
}

TEST(FairQueueTest, GroupsTakeTurns) {
  FairQueue<int> queue;
  for (int i = 0; i < 3; ++i) queue.Push("a", i);
  for (int i = 10; i < 12; ++i) queue.Push("b", i);
  queue.Push("c", 20);
  EXPECT_EQ(PopAll(queue), (std::vector<int>{0, 10, 20, 1, 11, 2}));
}

TEST(FairQueueTest, ANewGroupWaitsForOneEntryOfEachOther) {
  FairQueue<int> queue;
  for (int i = 0; i < 100; ++i) queue.Push("guesser", i);
  for (int i = 100; i < 200; ++i) queue.Push("other guesser", i);
  EXPECT_EQ(queue.Pop(), 0);
  queue.Push("honest", 1000);
  EXPECT_EQ(queue.Pop(), 100);
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), 1000);
  EXPECT_EQ(queue.Pop(), 101);
  // One that asks again and again still takes turns.
  queue.Push("honest", 1001);
  queue.Push("honest", 1002);
  EXPECT_EQ(queue.Pop(), 2);
  EXPECT_EQ(queue.Pop(), 102);
  EXPECT_EQ(queue.Pop(), 1001);
  EXPECT_EQ(queue.Pop(), 3);
}

TEST(FairQueueTest, RemovesEntriesAndEmptyGroups) {
  FairQueue<int> queue;
  for (int i = 0; i < 4; ++i) queue.Push("a", i);
  queue.Push("b", 10);
  queue.Push("c", 20);
  queue.Remove([](int entry) { return entry % 2 == 0 && entry < 20; });
  EXPECT_EQ(queue.size(), 3U);
  EXPECT_EQ(PopAll(queue), (std::vector<int>{1, 20, 3}));
  queue.Remove([](int) { return true; });
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace kem

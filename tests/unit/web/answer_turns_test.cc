#include "web/answer_turns.h"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>

namespace kem {
namespace {

TEST(AnswerTurnsTest, TheOneAfterTheLastWaits) {
  AnswerTurns turns(2);
  EXPECT_TRUE(turns.Ask("a", 1));
  EXPECT_TRUE(turns.Ask("a", 2));
  EXPECT_FALSE(turns.Ask("a", 3));
  EXPECT_EQ(turns.waiting(), 1U);
  EXPECT_FALSE(turns.HasNext());
  turns.Leave(1);
  ASSERT_TRUE(turns.HasNext());
  EXPECT_EQ(turns.Next(), 3U);
  EXPECT_EQ(turns.waiting(), 0U);
  EXPECT_EQ(turns.active(), (std::set<uint64_t>{2, 3}));
}

TEST(AnswerTurnsTest, NobodyPassesThoseThatWait) {
  AnswerTurns turns(1);
  EXPECT_TRUE(turns.Ask("a", 1));
  EXPECT_FALSE(turns.Ask("a", 2));
  turns.Leave(1);
  EXPECT_FALSE(turns.Ask("a", 1));
  EXPECT_EQ(turns.Next(), 2U);
  EXPECT_FALSE(turns.HasNext());
}

TEST(AnswerTurnsTest, OneThatLeavesWhileItWaitsGetsNoTurn) {
  AnswerTurns turns(1);
  EXPECT_TRUE(turns.Ask("a", 1));
  EXPECT_FALSE(turns.Ask("a", 2));
  EXPECT_FALSE(turns.Ask("a", 3));
  turns.Leave(2);
  turns.Leave(7);
  EXPECT_EQ(turns.waiting(), 1U);
  turns.Leave(1);
  EXPECT_EQ(turns.Next(), 3U);
}

// N clients that ask again as soon as they were served, with 16 turns: each is
// served once a round, for every N.
TEST(AnswerTurnsTest, ClientsInALoopGetEqualShares) {
  for (uint64_t clients = 1; clients <= 64; ++clients) {
    AnswerTurns turns(16);
    std::map<uint64_t, int> served;
    std::deque<uint64_t> active;
    for (uint64_t id = 0; id < clients; ++id) {
      if (turns.Ask("a", id)) active.push_back(id);
    }
    for (uint64_t i = 0; i < 10 * clients; ++i) {
      const uint64_t id = active.front();
      active.pop_front();
      ++served[id];
      turns.Leave(id);
      if (turns.Ask("a", id)) active.push_back(id);
      while (turns.HasNext()) active.push_back(turns.Next());
      ASSERT_LE(turns.active().size(), 16U);
    }
    for (uint64_t id = 0; id < clients; ++id) {
      EXPECT_EQ(served[id], 10) << id << " of " << clients;
    }
  }
}

TEST(AnswerTurnsTest, AnAddressWithManyClientsDelaysAnotherByOne) {
  AnswerTurns turns(1);
  EXPECT_TRUE(turns.Ask("many", 0));
  for (uint64_t id = 1; id <= 200; ++id) EXPECT_FALSE(turns.Ask("many", id));
  EXPECT_FALSE(turns.Ask("one", 1000));
  turns.Leave(0);
  EXPECT_EQ(turns.Next(), 1U);
  turns.Leave(1);
  EXPECT_EQ(turns.Next(), 1000U);
}

}  // namespace
}  // namespace kem

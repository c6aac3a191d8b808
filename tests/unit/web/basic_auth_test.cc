// The order of logins and what is remembered of them, with a fake in place of
// bcrypt. web_server_test.cc has the real one.
#include "web/basic_auth.h"

#include <gtest/gtest.h>

#include <map>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"

namespace kem {
namespace {

using Users = std::map<std::string, std::string>;
using Results = std::vector<std::pair<uint64_t, bool>>;

class BasicAuthTest : public ::testing::Test {
 protected:
  // "alice" with the password "good" and the hash "hash of good".
  Admission Check(const std::string& login, const std::string& group,
                  uint64_t ticket) {
    return auth.Check(users, "Basic " + EncodeBase64(login), group, ticket);
  }
  // Lets `count` comparisons happen and returns the results of `results`
  // tickets.
  Results Finish(int results, int count) {
    compare.release(count);
    Results all;
    for (int i = 0; i < results; ++i) {
      finished.acquire();
      for (const auto& one : auth.Finished()) all.push_back(one);
    }
    return all;
  }

  Users users = {{"alice", "hash of good"}};
  std::counting_semaphore<> compare{0};
  std::counting_semaphore<> finished{0};
  std::counting_semaphore<> begun{0};
  int comparisons = 0;
  BasicAuth auth{[this] { finished.release(); },
                 [this](const std::string& password, const std::string& hash) {
                   begun.release();
                   compare.acquire();
                   ++comparisons;
                   return "hash of " + password == hash;
                 }};
};

TEST_F(BasicAuthTest, RemembersWhatMatched) {
  EXPECT_EQ(Check("alice:good", "a", 1), Admission::kPending);
  EXPECT_EQ(Finish(1, 1), (Results{{1, true}}));
  EXPECT_EQ(Check("alice:good", "a", 2), Admission::kAdmitted);
  EXPECT_EQ(comparisons, 1);
}

TEST_F(BasicAuthTest, RemembersWhatDidNotMatch) {
  EXPECT_EQ(Check("alice:bad", "a", 1), Admission::kPending);
  EXPECT_EQ(Check("bob:good", "a", 2), Admission::kPending);
  EXPECT_EQ(Finish(2, 2), (Results{{1, false}, {2, false}}));
  EXPECT_EQ(Check("alice:bad", "a", 3), Admission::kUnauthorized);
  EXPECT_EQ(Check("bob:good", "a", 4), Admission::kUnauthorized);
  EXPECT_EQ(comparisons, 2);
}

TEST_F(BasicAuthTest, ANameThatIsAddedLaterCanLogIn) {
  EXPECT_EQ(Check("bob:good", "a", 1), Admission::kPending);
  EXPECT_EQ(Finish(1, 1), (Results{{1, false}}));
  users = {{"bob", "hash of good"}};
  EXPECT_EQ(Check("bob:good", "a", 2), Admission::kPending);
  EXPECT_EQ(Finish(1, 1), (Results{{2, true}}));
  // A changed password ends it.
  users = {{"bob", "hash of other"}};
  EXPECT_EQ(Check("bob:good", "a", 3), Admission::kPending);
  EXPECT_EQ(Finish(1, 1), (Results{{3, false}}));
}

TEST_F(BasicAuthTest, EqualLoginsAreComparedOnce) {
  for (uint64_t ticket = 1; ticket <= 5; ++ticket) {
    EXPECT_EQ(Check("alice:good", "a", ticket), Admission::kPending);
  }
  EXPECT_EQ(Finish(5, 1),
            (Results{{1, true}, {2, true}, {3, true}, {4, true}, {5, true}}));
  EXPECT_EQ(comparisons, 1);
}

TEST_F(BasicAuthTest, AddressesTakeTurns) {
  for (uint64_t ticket = 1; ticket <= 50; ++ticket) {
    EXPECT_EQ(Check("alice:" + std::to_string(ticket), "guesser", ticket),
              Admission::kPending);
  }
  begun.acquire();
  EXPECT_EQ(Check("alice:good", "honest", 100), Admission::kPending);
  const Results results = Finish(3, 3);
  EXPECT_EQ(results, (Results{{1, false}, {2, false}, {100, true}}));
  Finish(48, 48);
}

TEST_F(BasicAuthTest, ACancelledCheckDoesNotHappen) {
  EXPECT_EQ(Check("alice:1", "a", 1), Admission::kPending);
  EXPECT_EQ(Check("alice:2", "a", 2), Admission::kPending);
  EXPECT_EQ(Check("alice:good", "a", 3), Admission::kPending);
  begun.acquire();
  // Too late for the first one, which has begun.
  auth.Cancel(1);
  auth.Cancel(2);
  EXPECT_EQ(Finish(2, 2), (Results{{1, false}, {3, true}}));
  EXPECT_EQ(comparisons, 2);
}

TEST_F(BasicAuthTest, GuessesDoNotPushOutWhatMatched) {
  EXPECT_EQ(Check("alice:good", "a", 1), Admission::kPending);
  EXPECT_EQ(Finish(1, 1), (Results{{1, true}}));
  for (uint64_t ticket = 2; ticket <= 1000; ++ticket) {
    EXPECT_EQ(Check("alice:" + std::to_string(ticket), "a", ticket),
              Admission::kPending);
  }
  Finish(999, 999);
  EXPECT_EQ(Check("alice:good", "a", 1001), Admission::kAdmitted);
}

}  // namespace
}  // namespace kem

#include "events/scope_claims.h"

#include <gtest/gtest.h>

#include <string>

namespace kem {
namespace {

constexpr SteadyTime kStart{std::chrono::hours(1)};
constexpr std::chrono::seconds kShortOfAnHour{3599};
constexpr std::chrono::hours kHour{1};

TEST(ClaimLogTest, TakesTheFirstOfEachNamespaceInAnHour) {
  ClaimLog log;
  EXPECT_TRUE(log.Takes("a", kStart));
  EXPECT_TRUE(log.Takes("b", kStart + kShortOfAnHour));
  EXPECT_FALSE(log.Takes("a", kStart + kShortOfAnHour));
  EXPECT_TRUE(log.Takes("a", kStart + kHour));
  EXPECT_FALSE(log.Takes("b", kStart + kHour));
  EXPECT_FALSE(log.Takes("a", kStart + kHour + kShortOfAnHour));
}

TEST(ClaimLogTest, RemembersSoManyNamespaces) {
  ClaimLog log;
  size_t taken = 0;
  for (size_t i = 0; i < 2 * ClaimLog::kMaxNamespaces; ++i) {
    if (log.Takes("n" + std::to_string(i), kStart)) ++taken;
  }
  EXPECT_EQ(taken, ClaimLog::kMaxNamespaces);
  EXPECT_FALSE(log.Takes("n0", kStart));
  EXPECT_FALSE(log.Takes("another", kStart + kShortOfAnHour));
  // An hour later there is room again.
  EXPECT_TRUE(log.Takes("another", kStart + kHour));
  EXPECT_FALSE(log.Takes("another", kStart + kHour));
}

TEST(ClaimLogTest, ALongNameIsOneThatBeginsLikeIt) {
  ClaimLog log;
  EXPECT_TRUE(log.Takes(std::string(1'000'000, 'a'), kStart));
  EXPECT_FALSE(log.Takes(std::string(ClaimLog::kMaxName, 'a'), kStart));
  EXPECT_TRUE(log.Takes("", kStart));
}

}  // namespace
}  // namespace kem

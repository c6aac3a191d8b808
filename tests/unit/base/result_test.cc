#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

namespace kem {
namespace {

Error SomeError() { return Error{ErrorCode::kExpired, "too old"}; }

TEST(ResultTest, HoldsAValue) {
  Result<std::string> result = std::string("x");
  ASSERT_TRUE(result);
  EXPECT_TRUE(result.has_value());
  EXPECT_EQ(*result, "x");
  EXPECT_EQ(result->size(), 1U);
  *result += "y";
  EXPECT_EQ(result.value(), "xy");
}

TEST(ResultTest, HoldsAnError) {
  const Result<std::string> result = SomeError();
  ASSERT_FALSE(result);
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::kExpired);
  EXPECT_EQ(result.error().message, "too old");
}

TEST(ResultTest, GivesUpAValueThatCanOnlyMove) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = std::move(*result);
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, SucceedsWithNothingToSay) {
  const Result<void> good;
  EXPECT_TRUE(good);
  const Result<void> bad = SomeError();
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "too old");
}

TEST(ErrorTest, TakesAPrefix) {
  const Error error = SomeError().WithPrefix("list");
  EXPECT_EQ(error.code, ErrorCode::kExpired);
  EXPECT_EQ(error.message, "list: too old");
}

TEST(ErrorTest, NamesEveryCodeOnce) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    names.insert(ToString(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), 12U);
  EXPECT_FALSE(names.contains(""));
}

}  // namespace
}  // namespace kem

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reflector/api_lister_watcher.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ListPageTest, SlicesItemsOutOfTheBody) {
  ListPage page;
  page.body =
      R"({"kind":"EventList","apiVersion":"v1","metadata":{)"
      R"("resourceVersion":"283","continue":"eyJ2","remainingItemCount":7},)"
      R"("items":[{"metadata":{"name":"a"},"x":[1,{}]} , {"b":"}]"},{}]})"
      "\n";
  ASSERT_TRUE(ParseListPage(page));
  EXPECT_EQ(page.resource_version, 283u);
  EXPECT_EQ(page.continue_token, "eyJ2");
  ASSERT_EQ(page.items.size(), 3u);
  EXPECT_EQ(page.items[0].substr(0, 36),
            R"({"metadata":{"name":"a"},"x":[1,{}]})");
  EXPECT_EQ(page.items[1].substr(0, 10), R"({"b":"}]"})");
  EXPECT_EQ(page.items[2], "{}");
}

TEST(ListPageTest, DoesNotMindTheOrderOfFields) {
  ListPage page;
  page.body = R"({"items":[{"a":1}],"metadata":{"resourceVersion":"5"}})";
  ASSERT_TRUE(ParseListPage(page));
  EXPECT_EQ(page.resource_version, 5u);
  EXPECT_EQ(page.continue_token, "");
  EXPECT_THAT(page.items, ElementsAre(R"({"a":1})"));
}

TEST(ListPageTest, TakesEmptyAndNullItems) {
  for (const char* items : {"[]", "null"}) {
    ListPage page;
    page.body = R"({"metadata":{"resourceVersion":"5","continue":null},)"
                R"("items":)" +
                std::string(items) + "}";
    ASSERT_TRUE(ParseListPage(page));
    EXPECT_THAT(page.items, IsEmpty());
  }
}

TEST(ListPageTest, HasNoVersionWhenThatCannotBeWatchedFrom) {
  for (const char* version :
       {R"("")", R"("0")", R"("007")", R"("-1")", R"("1a")", "null",
        R"("99999999999999999999999")"}) {
    ListPage page;
    page.body = R"({"metadata":{"resourceVersion":)" + std::string(version) +
                R"(},"items":[]})";
    EXPECT_TRUE(ParseListPage(page)) << version;
    EXPECT_EQ(page.resource_version, 0u) << version;
  }
}

TEST(ListPageTest, UnescapesTheToken) {
  ListPage page;
  page.body =
      R"({"metadata":{"resourceVersion":"5","continue":"a\u002fb"},"items":[]})";
  ASSERT_TRUE(ParseListPage(page));
  EXPECT_EQ(page.continue_token, "a/b");
}

TEST(ListPageTest, CanBeUsedAgain) {
  ListPage page;
  page.body = R"({"metadata":{"resourceVersion":"5","continue":"t"},)"
              R"("items":[{},{}]})";
  ASSERT_TRUE(ParseListPage(page));
  page.body = R"({"metadata":{},"items":[{}]})";
  ASSERT_TRUE(ParseListPage(page));
  EXPECT_EQ(page.resource_version, 0u);
  EXPECT_EQ(page.continue_token, "");
  EXPECT_EQ(page.items.size(), 1u);
}

TEST(ListPageTest, RefusesWhatIsNoList) {
  for (const char* body :
       {"",
        " ",
        "null",
        "[]",
        "7",
        "\"text\"",
        "{",
        "{}",
        "404 page not found",
        R"({"items":[]})",
        R"({"metadata":{"resourceVersion":"5"}})",
        R"({"metadata":[],"items":[]})",
        R"({"metadata":{},"items":{}})",
        R"({"metadata":{},"items":[1]})",
        R"({"metadata":{},"items":["a"]})",
        R"({"metadata":{},"items":[{}]}x)",
        R"({"metadata":{},"items":[{}]}{})",
        R"({"metadata":{},"items":[{})",
        R"({"metadata":{"resourceVersion":5},"items":[]})",
        R"({"kind":7,"metadata":{"resourceVersion":"5"},"items":[]})",
        R"({"kind":"NodeList","metadata":{"resourceVersion":"5"},"items":[]})",
        R"({"metadata":{},"items":[{"a":1}],"kind":"PodList"})"}) {
    ListPage page;
    page.body = body;
    const Result<void> parsed = ParseListPage(page);
    ASSERT_FALSE(parsed) << body;
    EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);
    EXPECT_THAT(parsed.error().message, HasSubstr("not a list"));
  }
}

TEST(ListPageTest, SurvivesACutAnywhere) {
  const std::string whole =
      R"({"metadata":{"resourceVersion":"5","continue":"\u00e9"},)"
      R"("items":[{"a":[1,"x"]},{"b":{}}]})";
  for (size_t i = 0; i < whole.size(); ++i) {
    ListPage page;
    page.body = whole.substr(0, i);
    EXPECT_FALSE(ParseListPage(page)) << i;
  }
}

}  // namespace
}  // namespace kem

// What a mark says, within an API server's limits.
#include "sinks/mark.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace kem {
namespace {

using std::chrono::seconds;

constexpr char kUid[] = "0c5c92d4-8a0f-4a43-9a6b-2f1c1a1f7e11";

TEST(MarkTest, AReasonBecomesALabelsValue) {
  EXPECT_EQ(MarkLabel("Rebooted"), "Rebooted");
  EXPECT_EQ(MarkLabel("-a b/c."), "a-b-c");
  EXPECT_EQ(MarkLabel("\xc3\xa4"), "unknown");
  EXPECT_EQ(MarkLabel(""), "unknown");
  EXPECT_EQ(MarkLabel(std::string(62, 'a') + ".b").size(), 62U);
}

TEST(MarkTest, TextsAreCut) {
  Occurrence one;
  const std::string message(300, 'm');
  one.message = message;
  const auto annotation = nlohmann::json::parse(MarkAnnotation(one));
  EXPECT_EQ(std::string(annotation["message"]).size(), 256U);
}

TEST(MarkTest, IsTheSameAfterARestart) {
  const Mark mark{"v1",
                  "Node",
                  "a",
                  kUid,
                  "{}",
                  "X",
                  WallTime(seconds(7)),
                  WallTime(seconds(5)),
                  9};
  const std::string text = SaveMark(mark);
  const std::optional<Mark> loaded = LoadMark(text);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(SaveMark(*loaded), text);
  EXPECT_FALSE(LoadMark(text.substr(1)));
  EXPECT_FALSE(LoadMark(text + "x"));
}

TEST(MarkTest, KnowsAUuid) {
  EXPECT_TRUE(IsUuid(kUid));
  EXPECT_FALSE(IsUuid("worker-1"));
  EXPECT_FALSE(IsUuid(std::string(36, 'a')));
}

}  // namespace
}  // namespace kem

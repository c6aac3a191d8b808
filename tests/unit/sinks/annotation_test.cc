// The texts of an annotation, within the API server's limits.
#include "sinks/annotation.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace kem {
namespace {

using std::chrono::seconds;

constexpr char kObjectUid[] = "0c5c92d4-8a0f-4a43-9a6b-2f1c1a1f7e11";

TEST(AnnotationTest, ALabelValueIsValid) {
  EXPECT_EQ(LabelValue("Rebooted"), "Rebooted");
  EXPECT_EQ(LabelValue("-a b/c."), "a-b-c");
  EXPECT_EQ(LabelValue("\xc3\xa4"), "unknown");
  EXPECT_EQ(LabelValue(""), "unknown");
  EXPECT_EQ(LabelValue(std::string(62, 'a') + ".b").size(), 62U);
}

TEST(AnnotationTest, TextsAreCut) {
  Occurrence one;
  const std::string message(300, 'm');
  one.message = message;
  const auto annotation = nlohmann::json::parse(AnnotationText(one));
  EXPECT_EQ(std::string(annotation["message"]).size(), 256U);
}

TEST(AnnotationTest, IsTheSameAfterARestart) {
  const Annotation annotation{"v1",
                              "Node",
                              "a",
                              kObjectUid,
                              "{}",
                              "X",
                              WallTime(seconds(7)),
                              {WallTime(seconds(5)), 9}};
  const std::string text = SaveAnnotation(annotation);
  const std::optional<Annotation> loaded = LoadAnnotation(text);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(SaveAnnotation(*loaded), text);
  EXPECT_FALSE(LoadAnnotation(text.substr(1)));
  EXPECT_FALSE(LoadAnnotation(text + "x"));
}

TEST(AnnotationTest, RecognizesAUuid) {
  EXPECT_TRUE(IsUuid(kObjectUid));
  EXPECT_FALSE(IsUuid("worker-1"));
  EXPECT_FALSE(IsUuid(std::string(36, 'a')));
}

}  // namespace
}  // namespace kem

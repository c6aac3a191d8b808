#include "series/label_text.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

std::string Text(const SeriesLabels& labels, Who who = Who::kTuple) {
  std::string out = "left over";
  LabelText(labels, who, out);
  return out;
}

std::string Key(const SeriesLabels& labels, Who who = Who::kTuple) {
  std::string out = "left over";
  LabelKey(labels, who, out);
  return out;
}

SeriesLabels WithReason(std::string_view reason) {
  SeriesLabels labels;
  labels.reason = reason;
  return labels;
}

TEST(LabelTextTest, EscapesWhatTheTextFormatEscapes) {
  EXPECT_EQ(Text(WithReason("a\"b\\c\nd\te")),
            "scope=\"namespaced\",api_group=\"\",kind=\"\","
            "object_namespace=\"\",reason=\"a\\\"b\\\\c\\nd\te\",type=\"\","
            "reporting_component=\"\"");
}

TEST(LabelTextTest, ReplacesNulAtWhichPrometheusStops) {
  EXPECT_NE(Text(WithReason(std::string_view("a\0b", 3))).find("\"a?b\""),
            std::string::npos);
}

TEST(LabelTextTest, OneTextHasOneKey) {
  EXPECT_EQ(Key(WithReason(std::string_view("a\0b", 3))),
            Key(WithReason("a?b")));
  EXPECT_EQ(Key(WithReason(std::string(300, 'x'))),
            Key(WithReason(std::string(256, 'x'))));
}

TEST(LabelTextTest, ObjectsHaveTheirNameAndTuplesTheirNamespace) {
  SeriesLabels labels;
  labels.scope = Scope::kCluster;
  labels.object_name = "worker-1";
  labels.object_namespace = "shop";
  EXPECT_EQ(Text(labels, Who::kObject),
            "scope=\"cluster\",api_group=\"\",kind=\"\",object_name=\"worker-"
            "1\",reason=\"\",type=\"\",reporting_component=\"\"");
  EXPECT_NE(Text(labels).find("object_namespace=\"shop\""), std::string::npos);
  EXPECT_NE(Key(labels), Key(labels, Who::kObject));
}

TEST(ExemplarTextTest, HoldsWhatOpenMetricsAllows) {
  std::string text = "left over";
  ExemplarText("shop", "web.17\"", text);
  EXPECT_EQ(text, "namespace=\"shop\",name=\"web.17\\\"\"");
  ExemplarText(std::string(100, 'n'), std::string(300, 'x'), text);
  // 128 characters of names and values.
  EXPECT_EQ(text, "namespace=\"" + std::string(63, 'n') + "\",name=\"" +
                      std::string(128 - 13 - 63, 'x') + '"');
}

TEST(CutLabelTest, KeepsWhatFits) {
  EXPECT_EQ(CutLabel(std::string(256, 'x')).size(), 256U);
  EXPECT_EQ(CutLabel(std::string(257, 'x')).size(), 256U);
}

TEST(CutLabelTest, NeverSplitsACharacter) {
  for (size_t before = 250; before <= 257; ++before) {
    const std::string text =
        std::string(before, 'x') + "\xf0\x9f\x94\xa5" + "y";
    const std::string_view cut = CutLabel(text);
    EXPECT_LE(cut.size(), 256U);
    EXPECT_EQ(cut.size(), before + 4 <= 256 ? std::min<size_t>(256, text.size())
                                            : std::min<size_t>(256, before));
  }
}

}  // namespace
}  // namespace kem

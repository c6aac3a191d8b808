#include "page/page_text.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(EscapeHtmlTest, LeavesNothingThatHtmlReads) {
  EXPECT_EQ(EscapeHtml("<script>alert(\"1\" & '2')</script>"),
            "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)"
            "&lt;/script&gt;");
  EXPECT_EQ(EscapeHtml("&lt;"), "&amp;lt;");
  EXPECT_EQ(EscapeHtml(""), "");
  EXPECT_EQ(EscapeHtml("Grüße, 世界 😀"), "Grüße, 世界 😀");
}

TEST(EscapeHtmlTest, ShowsControlCharacters) {
  EXPECT_EQ(EscapeHtml(std::string_view("a\0b\x1b[31m\x7f", 9)),
            "a[U+0000]b[U+001B][31m[U+007F]");
  EXPECT_EQ(EscapeHtml("a\r\n\tb"), "a[U+000D][U+000A][U+0009]b");
  EXPECT_EQ(EscapeLines("a\r\n\tb\rc\n"), "a\n\tb[U+000D]c\n");
}

TEST(EscapeHtmlTest, ShowsWhatHidesOrTurnsText) {
  EXPECT_EQ(EscapeHtml("a\u202Eb\u2066c\u200Bd\u2028e\uFEFF\u00AD\u0085"),
            "a[U+202E]b[U+2066]c[U+200B]d[U+2028]e[U+FEFF][U+00AD][U+0085]");
  EXPECT_EQ(EscapeHtml("\U000E0041"), "[U+E0041]");
  // Joiners are part of how emoji and Persian are written.
  EXPECT_EQ(EscapeHtml("👩\u200D🚀"), "👩\u200D🚀");
}

TEST(EscapeHtmlTest, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(EscapeHtml("a\xff\xc3<\xe2\x82"), "a\uFFFD\uFFFD&lt;\uFFFD\uFFFD");
}

TEST(AgeTextTest, SpeaksAsKubectlDoes) {
  EXPECT_EQ(AgeText(seconds(-5)), "0s");
  EXPECT_EQ(AgeText(seconds(0)), "0s");
  EXPECT_EQ(AgeText(seconds(119)), "119s");
  EXPECT_EQ(AgeText(seconds(120)), "2m");
  EXPECT_EQ(AgeText(seconds(312)), "5m12s");
  EXPECT_EQ(AgeText(seconds(599)), "9m59s");
  EXPECT_EQ(AgeText(seconds(659)), "10m");
  EXPECT_EQ(AgeText(minutes(179)), "179m");
  EXPECT_EQ(AgeText(minutes(180)), "3h");
  EXPECT_EQ(AgeText(minutes(200)), "3h20m");
  EXPECT_EQ(AgeText(hours(8)), "8h");
  EXPECT_EQ(AgeText(hours(47)), "47h");
  EXPECT_EQ(AgeText(hours(48)), "2d");
  EXPECT_EQ(AgeText(hours(51)), "2d3h");
  EXPECT_EQ(AgeText(hours(24 * 8)), "8d");
  EXPECT_EQ(AgeText(hours(24 * 365 * 2)), "2y");
  EXPECT_EQ(AgeText(hours(24 * (365 * 2 + 3))), "2y3d");
  EXPECT_EQ(AgeText(hours(24 * 365 * 8 + 48)), "8y");
}

TEST(NumberTextTest, GroupsThousands) {
  EXPECT_EQ(NumberText(0), "0");
  EXPECT_EQ(NumberText(999), "999");
  EXPECT_EQ(NumberText(1000), "1,000");
  EXPECT_EQ(NumberText(1234567), "1,234,567");
}

TEST(TimeTextTest, IsUtc) {
  EXPECT_EQ(TimeText(WallTime(seconds(1795435200))), "2026-11-23 12:00:00");
  EXPECT_EQ(TimeText(WallTime()), "1970-01-01 00:00:00");
  EXPECT_EQ(TimeText(WallTime::min()), "0001-01-01 00:00:00");
}

class KubectlCommandTest : public ::testing::Test {
 protected:
  KubectlCommandTest() {
    event.event_namespace = "default";
    event.name = "worker-1.18eaa4";
    event.kind = "Node";
    event.object_name = "worker-1";
  }
  std::string Named(std::string name) {
    event.object_name = std::move(name);
    return KubectlCommand(event);
  }
  FoundEvent event;
};

TEST_F(KubectlCommandTest, AsksForTheObject) {
  EXPECT_EQ(KubectlCommand(event),
            "kubectl get events -n default --field-selector "
            "involvedObject.kind=Node,involvedObject.name=worker-1");
  EXPECT_EQ(Named("system:node"),
            "kubectl get events -n default --field-selector "
            "involvedObject.kind=Node,involvedObject.name=system:node");
}

TEST_F(KubectlCommandTest, QuotesForSelectorAndShell) {
  EXPECT_EQ(Named("a=b,c\\d"),
            "kubectl get events -n default --field-selector "
            "'involvedObject.kind=Node,involvedObject.name=a\\=b\\,c\\\\d'");
  EXPECT_EQ(Named("$(reboot);`x`'y'&|>\"!*"),
            "kubectl get events -n default --field-selector "
            "'involvedObject.kind=Node,involvedObject.name="
            "$(reboot);`x`'\\''y'\\''&|>\"!*'");
}

TEST_F(KubectlCommandTest, AsksForTheEventWhereTheObjectCannotBeWritten) {
  const std::string by_event =
      "kubectl get events -n default --field-selector "
      "metadata.name=worker-1.18eaa4";
  for (const char* name :
       {"", "a\nreboot\n", "a b", "\x03", "w\u202E", "cut…", "\xff"}) {
    EXPECT_EQ(Named(name), by_event) << name;
  }
  event.object_name = "worker-1";
  event.kind = "";
  EXPECT_EQ(KubectlCommand(event), by_event);
  event.name = "\n";
  EXPECT_EQ(KubectlCommand(event), "");
}

}  // namespace
}  // namespace kem

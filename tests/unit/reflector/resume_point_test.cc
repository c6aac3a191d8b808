#include "reflector/resume_point.h"

#include <gtest/gtest.h>

#include "apiserver/list_options.h"
#include "apiserver/resource_version.h"

namespace kem {
namespace {

using std::chrono::seconds;

const SteadyTime kStart{std::chrono::hours(1)};

TEST(ResumePointTest, IsTheListsVersionAtFirst) {
  ResumePoint point;
  EXPECT_EQ(point.resume(), 0u);
  point.Reset(100, kStart);
  EXPECT_EQ(point.resume(), 100u);
  EXPECT_EQ(point.resume_at(), kStart);
}

TEST(ResumePointTest, StaysBeforeTheNewestVersion) {
  ResumePoint point;
  point.Reset(100, kStart);
  point.Observe(105, kStart + seconds(1));
  EXPECT_EQ(point.resume(), 100u);
  point.Observe(105, kStart + seconds(2));
  EXPECT_EQ(point.resume(), 100u);
  point.Observe(107, kStart + seconds(3));
  EXPECT_EQ(point.resume(), 105u);
  EXPECT_EQ(point.newest(), 107u);
  EXPECT_EQ(point.resume_at(), kStart + seconds(2));
}

TEST(ResumePointTest, ABridgeMovesTheNewestVersionOnly) {
  ResumePoint point;
  point.Reset(100, kStart);
  point.Bridge(110, kStart + seconds(1));
  EXPECT_EQ(point.resume(), 100u);
  point.Observe(105, kStart + seconds(2));
  EXPECT_EQ(point.resume(), 100u);
  point.Observe(111, kStart + seconds(3));
  EXPECT_EQ(point.resume(), 110u);
  point.Bridge(90, kStart + seconds(4));
  EXPECT_EQ(point.newest(), 111u);
}

// Two watches end inside the group of 105, each after another part of it.
TEST(ResumePointTest, ReplaysTheNewestVersionUntilANewerOne) {
  ResumePoint point;
  point.Reset(100, kStart);
  point.Observe(105, kStart + seconds(1));
  point.Observe(105, kStart + seconds(2));
  EXPECT_EQ(point.resume(), 100u);
  EXPECT_EQ(point.resume_at(), kStart);
  point.Observe(105, kStart + seconds(9));
  EXPECT_EQ(point.resume(), 100u);
  point.Observe(106, kStart + seconds(10));
  EXPECT_EQ(point.resume(), 105u);
  EXPECT_EQ(point.resume_at(), kStart + seconds(9));
}

TEST(ResumePointTest, NeverGoesBackButByAList) {
  ResumePoint point;
  point.Reset(100, kStart);
  point.Observe(105, kStart);
  point.Observe(107, kStart);
  point.Observe(103, kStart);
  point.Observe(0, kStart);
  EXPECT_EQ(point.resume(), 105u);
  EXPECT_EQ(point.newest(), 107u);
  point.Reset(50, kStart);
  EXPECT_EQ(point.resume(), 50u);
  EXPECT_EQ(point.newest(), 50u);
}

TEST(ResourceVersionTest, IsANumberWithoutLeadingZero) {
  EXPECT_EQ(ParseResourceVersion("1"), 1u);
  EXPECT_EQ(ParseResourceVersion("18446744073709551615"), UINT64_MAX);
  for (const char* text : {"", "0", "01", "+1", "-1", "1 ", " 1", "1x", "x",
                           "18446744073709551616"}) {
    EXPECT_FALSE(ParseResourceVersion(text)) << text;
  }
}

TEST(ListOptionsTest, AsksForPages) {
  EXPECT_EQ(ToQuery(ListOptions{500, ""}), "limit=500");
  EXPECT_EQ(ToQuery(ListOptions{500, "eyJ2+/="}),
            "limit=500&continue=eyJ2%2B%2F%3D");
  EXPECT_EQ(ToQuery(ListOptions{0, "abc"}), "continue=abc");
  EXPECT_EQ(ToQuery(ListOptions{}), "");
  EXPECT_EQ(ToQuery(ListOptions{0, "", "type!=Normal,reason=A"}),
            "fieldSelector=type%21%3DNormal%2Creason%3DA");
  EXPECT_EQ(ToQuery(ListOptions{5, "", "reason=A"}),
            "limit=5&fieldSelector=reason%3DA");
  EXPECT_EQ(ToQuery(WatchOptions{7, seconds(290), "reason=A"}),
            "watch=1&allowWatchBookmarks=true&resourceVersion=7"
            "&timeoutSeconds=290&fieldSelector=reason%3DA");
}

TEST(ListOptionsTest, AsksForAWatchThatEnds) {
  EXPECT_EQ(ToQuery(WatchOptions{100, seconds(290)}),
            "watch=1&allowWatchBookmarks=true&resourceVersion=100"
            "&timeoutSeconds=290");
}

}  // namespace
}  // namespace kem

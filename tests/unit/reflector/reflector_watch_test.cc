#include "reflector_fixture.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::Ge;
using ::testing::Le;

// The trace after "WATCH 100" when the watch after a first list ends like this.
struct WatchEndCase {
  std::string name;
  std::variant<ScriptedList, ScriptedWatch, Failure> answer;
  WatchEnd end;
  Trace then;
};

class WatchEndTest : public ReflectorTest,
                     public ::testing::WithParamInterface<WatchEndCase> {};

TEST_P(WatchEndTest, LeadsToTheNextRequest) {
  const WatchEndCase& param = GetParam();
  PlayListed({param.answer});
  ASSERT_EQ(trace_.front(), "WATCH 100");
  trace_.erase(trace_.begin());
  EXPECT_THAT(trace_, ElementsAreArray(param.then));
  EXPECT_EQ(Count(param.end), 1u);
}

const Trace kWatchAgain = {"wait 800", "WATCH 100"};
const Trace kListAgain = {"wait 800", "LIST limit=500"};

INSTANTIATE_TEST_SUITE_P(
    Refused, WatchEndTest,
    ::testing::Values(
        WatchEndCase{"NoAnswer", Refused(ErrorCode::kUnavailable),
                     WatchEnd::kUnavailable, kWatchAgain},
        WatchEndCase{"ServerError", Refused(ErrorCode::kUnavailable, 500),
                     WatchEnd::kUnavailable, kWatchAgain},
        WatchEndCase{"Overload",
                     Refused(ErrorCode::kUnavailable, 503, seconds(1)),
                     WatchEnd::kUnavailable,
                     {"wait 1000", "WATCH 100"}},
        WatchEndCase{"Throttled", Refused(ErrorCode::kThrottled, 429),
                     WatchEnd::kThrottled, kWatchAgain},
        WatchEndCase{"ThrottledForThreeSeconds",
                     Refused(ErrorCode::kThrottled, 429, seconds(3)),
                     WatchEnd::kThrottled,
                     {"wait 3000", "WATCH 100"}},
        WatchEndCase{"ThrottledForTenMinutes",
                     Refused(ErrorCode::kThrottled, 429, seconds(600)),
                     WatchEnd::kThrottled,
                     {"wait 60000", "WATCH 100"}},
        WatchEndCase{"Unauthorized", Refused(ErrorCode::kUnauthorized, 401),
                     WatchEnd::kUnauthorized, kWatchAgain},
        WatchEndCase{"Forbidden", Refused(ErrorCode::kForbidden, 403),
                     WatchEnd::kForbidden, kWatchAgain},
        WatchEndCase{"NotFound", Refused(ErrorCode::kNotFound, 404),
                     WatchEnd::kNotFound, kWatchAgain},
        WatchEndCase{"Rejected",
                     Refused(ErrorCode::kRejected, 400),
                     WatchEnd::kRejected,
                     {"wait 30000", "WATCH 100"}},
        WatchEndCase{"Expired", Refused(ErrorCode::kExpired, 410),
                     WatchEnd::kExpired, kListAgain}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Ended, WatchEndTest,
    ::testing::Values(
        WatchEndCase{
            "Quiet", Clean({}, seconds(240)), WatchEnd::kClean, {"WATCH 100"}},
        WatchEndCase{"QuietForLong",
                     Clean({}, seconds(271)),
                     WatchEnd::kClean,
                     {"LIST limit=500"}},
        WatchEndCase{"EmptyAtOnce", Clean({}, milliseconds(50)),
                     WatchEnd::kShort, kListAgain},
        WatchEndCase{"AtOnceWithNews",
                     Clean({Added("y", 101)}, milliseconds(1)),
                     WatchEnd::kClean,
                     {"ADDED y@101", "WATCH 100"}},
        WatchEndCase{"AtOnceWithNothingNew",
                     Clean({FrameOf("BOOKMARK", "", 100)}, milliseconds(1)),
                     WatchEnd::kClean,
                     {"BOOKMARK @100", "wait 800", "WATCH 100"}},
        WatchEndCase{"InsideAFrame", Clean({R"({"type":"ADD)"}, seconds(4)),
                     WatchEnd::kTruncated, kWatchAgain},
        WatchEndCase{"InsideAFrameOfALongWatch",
                     Clean({R"({"type":"ADD)"}, seconds(5)),
                     WatchEnd::kTruncated,
                     {"WATCH 100"}}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Broken, WatchEndTest,
    ::testing::Values(
        WatchEndCase{"WithoutFrames", Cut({}), WatchEnd::kTruncated,
                     kWatchAgain},
        WatchEndCase{"AfterFiveSeconds",
                     Cut({}, seconds(5)),
                     WatchEnd::kTruncated,
                     {"WATCH 100"}},
        WatchEndCase{"AfterOneFrame",
                     Cut({Added("y", 101)}),
                     WatchEnd::kTruncated,
                     {"ADDED y@101", "WATCH 100"}},
        WatchEndCase{"AfterTwoFrames",
                     Cut({Added("y", 101), Added("z", 102)}),
                     WatchEnd::kTruncated,
                     {"ADDED y@101", "ADDED z@102", "WATCH 101"}},
        WatchEndCase{"BySilence",
                     ScriptedWatch{
                         {}, WatchOutcome::End::kTimeout, seconds(255), {}, {}},
                     WatchEnd::kTimeout,
                     {"WATCH 100"}},
        WatchEndCase{"BySilenceAfterFrames",
                     ScriptedWatch{{Added("y", 101)},
                                   WatchOutcome::End::kTimeout,
                                   seconds(255),
                                   {},
                                   {}},
                     WatchEnd::kTimeout,
                     {"ADDED y@101", "WATCH 100"}}),
    [](const auto& param) { return param.param.name; });

INSTANTIATE_TEST_SUITE_P(
    InStream, WatchEndTest,
    ::testing::Values(
        WatchEndCase{"Code410",
                     Cut({ErrorFrame(410, "Expired")}),
                     WatchEnd::kExpired,
                     {"ERROR 410", "wait 800", "LIST limit=500"}},
        WatchEndCase{"ReasonGone",
                     Cut({ErrorFrame(0, "Gone")}),
                     WatchEnd::kExpired,
                     {"ERROR 0", "wait 800", "LIST limit=500"}},
        WatchEndCase{"Code410AfterNews",
                     Cut({Added("y", 101), ErrorFrame(410, "Expired")}),
                     WatchEnd::kExpired,
                     {"ADDED y@101", "ERROR 410", "LIST limit=500"}},
        WatchEndCase{"Code429",
                     Cut({ErrorFrame(429, "TooManyRequests")}),
                     WatchEnd::kThrottled,
                     {"ERROR 429", "wait 800", "WATCH 100"}},
        WatchEndCase{
            "Code429WithRetryAfter",
            Cut({R"({"type":"ERROR","object":{"code":429,"retry":7}})"}),
            WatchEnd::kThrottled,
            {"ERROR 429", "wait 7000", "WATCH 100"}},
        WatchEndCase{"Code500",
                     Cut({ErrorFrame(500, "InternalError")}),
                     WatchEnd::kError,
                     {"ERROR 500", "wait 800", "LIST limit=500"}},
        WatchEndCase{"NothingIsReadAfterAnError",
                     Cut({ErrorFrame(500, "") + Added("y", 101)}),
                     WatchEnd::kError,
                     {"ERROR 500", "wait 800", "LIST limit=500"}},
        WatchEndCase{"UnknownType",
                     Cut({FrameOf("FOO", "y", 101)}),
                     WatchEnd::kUnknownType,
                     {"FOO y@101", "wait 800", "WATCH 100"}},
        WatchEndCase{"Malformed",
                     Cut({"{\"oops\":1}\n"}),
                     WatchEnd::kMalformed,
                     {"malformed", "wait 800", "WATCH 100"}},
        WatchEndCase{"NoJson", Cut({"<html>\n"}), WatchEnd::kMalformed,
                     kWatchAgain}),
    [](const auto& param) { return param.param.name; });

using ReflectorWatchTest = ReflectorTest;

TEST_F(ReflectorWatchTest, DrawsItsTimeoutFromTheLastSixth) {
  PlayListed({});
  for (const double unit : {0.0, 0.3, 0.5, 0.9, 0.999999}) {
    random_ = unit;
    Play({});
  }
  EXPECT_THAT(api_.watch_timeouts, ::testing::Each(Ge(seconds(240))));
  EXPECT_THAT(api_.watch_timeouts, ::testing::Each(Le(seconds(290))));
  EXPECT_THAT(api_.watch_timeouts, ::testing::Contains(seconds(240)));
  EXPECT_THAT(api_.watch_timeouts, ::testing::Contains(seconds(290)));
}

TEST_F(ReflectorWatchTest, IsInContactAsSoonAsAWatchIsOpen) {
  ReflectorHealth open;
  api_.while_open = [&] { open = health(); };
  PlayListed(
      {Refused(ErrorCode::kForbidden, 403),
       ScriptedWatch{{}, WatchOutcome::End::kComplete, seconds(250), {}, {}}});
  EXPECT_TRUE(open.in_contact);
  EXPECT_EQ(open.problem, "");
}

TEST_F(ReflectorWatchTest, PassesTheServersTimeOn) {
  const WallTime date{std::chrono::hours(5)};
  PlayListed({ScriptedWatch{
      {}, WatchOutcome::End::kComplete, seconds(240), date, {}}});
  EXPECT_EQ(handler_.server_time, date);
}

TEST_F(ReflectorWatchTest, CountsFramesByType) {
  PlayListed({Cut({Added("y", 101) + Modified("y", 102) + Modified("y", 103),
                   FrameOf("DELETED", "y", 104) + FrameOf("BOOKMARK", "", 105),
                   ErrorFrame(500, "")})});
  EXPECT_EQ(Count(FrameType::kAdded), 1u);
  EXPECT_EQ(Count(FrameType::kModified), 2u);
  EXPECT_EQ(Count(FrameType::kDeleted), 1u);
  EXPECT_EQ(Count(FrameType::kBookmark), 1u);
  EXPECT_EQ(Count(FrameType::kError), 1u);
}

TEST_F(ReflectorWatchTest, AppliesTwoFramesOnOneLine) {
  std::string both = Added("y", 101);
  both.back() = ' ';
  PlayListed({Cut({both + Added("z", 102)})});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "ADDED y@101", "ADDED z@102",
                                  "WATCH 101"));
}

TEST_F(ReflectorWatchTest, MovesOnWithBookmarksButNeverPastTheNewestButOne) {
  PlayListed(
      {Cut({FrameOf("BOOKMARK", "", 120), FrameOf("BOOKMARK", "", 130)})});
  EXPECT_EQ(trace_.back(), "WATCH 120");
}

TEST_F(ReflectorWatchTest, ResumesBeforeAnUnfinishedBatch) {
  PlayListed({Cut({Added("y", 150), FrameOf("DELETED", "x", 200),
                   FrameOf("DELETED", "y", 200)}),
              Cut({FrameOf("DELETED", "x", 200), FrameOf("DELETED", "y", 200),
                   FrameOf("DELETED", "z", 200), Added("x", 210)})});
  EXPECT_EQ(trace_[4], "WATCH 150");
  EXPECT_EQ(trace_.back(), "WATCH 200");
}

// An API server ends a watch at its timeoutSeconds inside a group of deletions
// that share one resourceVersion.
TEST_F(ReflectorWatchTest, ResumesBeforeABatchThatACleanEndCut) {
  PlayListed(
      {Clean({Added("y", 150), FrameOf("DELETED", "x", 200)}, seconds(240)),
       Clean({FrameOf("DELETED", "x", 200), FrameOf("DELETED", "y", 200)},
             seconds(5)),
       Clean({FrameOf("DELETED", "x", 200), FrameOf("DELETED", "y", 200),
              Added("x", 210)},
             seconds(5))});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "ADDED y@150", "DELETED x@200",
                                  "WATCH 150", "DELETED x@200", "DELETED y@200",
                                  "WATCH 150", "DELETED x@200", "DELETED y@200",
                                  "ADDED x@210", "WATCH 200"));
  EXPECT_TRUE(clock_.sleeps.empty());
}

TEST_F(ReflectorWatchTest, SwitchesTheApiAndKeepsTheVersion) {
  UseTwoApis();
  PlayListed({Refused(ErrorCode::kNotFound, 404), Cut({Added("y", 101)})});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "wait 800", "WATCH other 100",
                                  "ADDED y@101", "WATCH other 100"));
}

}  // namespace
}  // namespace kem

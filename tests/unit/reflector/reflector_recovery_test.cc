// Recovery over several responses: repeated failures, unreadable watch events,
// unobserved time, health, stopping.
#include <thread>

#include "reflector/frame_reader.h"
#include "reflector_fixture.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using ReflectorRecoveryTest = ReflectorTest;

TEST_F(ReflectorRecoveryTest, ListsAfterFiveServerErrorsInARow) {
  PlayListed({Refused(ErrorCode::kUnavailable, 500),
              Refused(ErrorCode::kUnavailable, 502),
              Refused(ErrorCode::kUnavailable, 504),
              Refused(ErrorCode::kUnavailable, 500),
              Refused(ErrorCode::kUnavailable, 500)});
  EXPECT_EQ(trace_.back(), "LIST limit=500");
  EXPECT_EQ(Count(WatchEnd::kUnavailable), 5u);
}

TEST_F(ReflectorRecoveryTest, AnOpenWatchEndsARowOfServerErrors) {
  Script script(4, Refused(ErrorCode::kUnavailable, 500));
  script.push_back(Cut({}));
  script.push_back(Refused(ErrorCode::kUnavailable, 500));
  EXPECT_EQ(PlayListed(std::move(script)).back(), "WATCH 100");
}

TEST_F(ReflectorRecoveryTest, NeverListsBecauseNothingResponds) {
  PlayListed(Script(20, Refused(ErrorCode::kUnavailable)));
  EXPECT_EQ(trace_.back(), "WATCH 100");
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

TEST_F(ReflectorRecoveryTest, NeverListsBecauseOfOverload) {
  Script script(20, Refused(ErrorCode::kUnavailable, 503));
  for (int i = 0; i < 20; ++i) {
    script.push_back(Refused(ErrorCode::kUnavailable, 500, seconds(1)));
    script.push_back(Refused(ErrorCode::kThrottled, 429));
  }
  EXPECT_EQ(PlayListed(std::move(script)).back(), "WATCH 100");
}

TEST_F(ReflectorRecoveryTest, ListsAtOnceWhenAGoodWatchExpired) {
  PlayListed({Clean({}, seconds(240)), Refused(ErrorCode::kExpired, 410)});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "WATCH 100", "LIST limit=500"));
}

TEST_F(ReflectorRecoveryTest, BacksOffWhenListsDoNotHelpAgainstExpiry) {
  PlayListed({Refused(ErrorCode::kExpired, 410), ScriptedList{110, {}, "", {}},
              Refused(ErrorCode::kExpired, 410), ScriptedList{120, {}, "", {}},
              Cut({ErrorFrame(410, "Expired")})});
  EXPECT_THAT(clock_.sleeps, ElementsAre(milliseconds(800), milliseconds(1600),
                                         milliseconds(3200)));
}

TEST_F(ReflectorRecoveryTest, ListsWhenAFrameStaysUnreadable) {
  PlayListed({Cut({Added("y", 101), Added("z", 102), "{]}\n"}),
              Cut({Added("z", 102), "{]}\n"})});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "ADDED y@101", "ADDED z@102",
                                  "malformed", "WATCH 101", "ADDED z@102",
                                  "malformed", "wait 800", "LIST limit=500"));
  EXPECT_EQ(Count(DropReason::kMalformed), 2u);
}

// A proxy may let lists through and answer watches itself.
TEST_F(ReflectorRecoveryTest, NamesWhatCameInPlaceOfAWatch) {
  PlayListed({Cut({"<!DOCTYPE html>\n", "<title>"})});
  EXPECT_FALSE(health().in_contact);
  EXPECT_EQ(health().problem,
            "The watch of  returned no watch event, but \"<!DOCTYPE html>\": "
            "this is HTML, so a login page or a proxy answers instead of the "
            "API server; check the server address");
  EXPECT_EQ(Count(WatchEnd::kMalformed), 1u);
  Play({Cut({R"({"kind":"Status","code":403,"message":"no"})"})});
  EXPECT_THAT(health().problem, HasSubstr("but a Status: 403: no"));
  Play({ScriptedList{100, {}, "", {}}, Cut({R"({"kind":"PodList"})"})});
  EXPECT_TRUE(health().in_contact);
  // Behind a watch event it is damage.
  Play({Cut({Added("y", 101), "<html>\n"})});
  EXPECT_TRUE(health().in_contact);
}

TEST_F(ReflectorRecoveryTest, GoesOnWhenAFrameWasOnlyTornOnce) {
  PlayListed({Cut({Added("y", 101), "{]}\n"}),
              Cut({Added("y", 101), Added("z", 102), Added("w", 103), "{]}\n"}),
              Cut({Added("w", 103), Added("v", 104)})});
  EXPECT_EQ(trace_.back(), "WATCH 103");
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

TEST_F(ReflectorRecoveryTest, ListsAfterAnOversizeFrame) {
  const std::string huge(FrameReader::kMaxFrame + 1, 'x');
  PlayListed({Cut({Added("y", 101), "{\"a\":\"" + huge})});
  EXPECT_THAT(trace_,
              ElementsAre("WATCH 100", "ADDED y@101", "LIST limit=500"));
  EXPECT_EQ(Count(DropReason::kOversize), 1u);
  EXPECT_EQ(Count(WatchEnd::kOversize), 1u);
}

TEST_F(ReflectorRecoveryTest, CountsTheFrameThatWasCut) {
  PlayListed({Cut({Added("y", 101), R"({"type":"MODIFIED","obj)"})});
  EXPECT_EQ(Count(DropReason::kTruncated), 1u);
}

TEST_F(ReflectorRecoveryTest,
       UnobservedTimeBeginsWithTheLastFrameOfABrokenStream) {
  PlayListed({Cut({Added("y", 101)}, seconds(10)),
              Refused(ErrorCode::kExpired, 410),
              ScriptedList{200, {}, "", seconds(2)}});
  EXPECT_EQ(stats_.unobserved_millis, 12000u);
}

TEST_F(ReflectorRecoveryTest, UnobservedTimeBeginsWithTheProperEndOfAStream) {
  PlayListed({Clean({}, seconds(280)), ScriptedList{200, {}, "", seconds(2)}});
  EXPECT_EQ(stats_.unobserved_millis, 2000u);
}

TEST_F(ReflectorRecoveryTest, ResumingWithoutAListHasNoUnobservedTime) {
  PlayListed({Cut({Added("y", 101)}, seconds(10)),
              Refused(ErrorCode::kUnavailable), Cut({Added("z", 102)})});
  EXPECT_EQ(stats_.unobserved_millis, 0u);
}

TEST_F(ReflectorRecoveryTest, NoTimeIsUnobservedTwice) {
  PlayListed({Cut({Added("y", 101), ErrorFrame(410, "")}),
              ScriptedList{200, {}, "", seconds(10)},
              Refused(ErrorCode::kExpired, 410),
              ScriptedList{300, {}, "", seconds(1)}});
  EXPECT_EQ(stats_.unobserved_millis, 10000u + 800u + 1000u);
}

TEST_F(ReflectorRecoveryTest, ANewEpochIsUnobservedSinceTheLastWatchEvent) {
  PlayListed({Clean({}, seconds(240)), Clean({}, seconds(240)),
              ScriptedList{50, {}, "", {}}});
  EXPECT_EQ(stats_.unobserved_millis, 480000u);
}

TEST_F(ReflectorRecoveryTest, IsSyncedFromTheFirstCommitOn) {
  Play({ScriptedList{100, {}, "t", {}}});
  EXPECT_FALSE(health().synced);
  EXPECT_TRUE(health().in_contact);
  Play({ScriptedList{100, {}, "", {}}});
  EXPECT_TRUE(health().synced);
  Play({Refused(ErrorCode::kForbidden, 403)});
  EXPECT_TRUE(health().synced);
}

TEST_F(ReflectorRecoveryTest, IsInContactAgainWhenAWatchOpens) {
  PlayListed({Refused(ErrorCode::kForbidden, 403)});
  EXPECT_FALSE(health().in_contact);
  EXPECT_THAT(health().problem, HasSubstr("refused"));
  Play({Cut({})});
  EXPECT_TRUE(health().in_contact);
  EXPECT_EQ(health().problem, "");
}

TEST_F(ReflectorRecoveryTest, PromisesToComeRoundAgain) {
  EXPECT_EQ(health().due, SteadyTime::max());
  PlayListed({});
  EXPECT_GE(health().due, clock_.SteadyNow() + seconds(255));
  Play({Refused(ErrorCode::kThrottled, 429, seconds(50))});
  EXPECT_LE(health().due, clock_.SteadyNow() + minutes(6));
}

TEST_F(ReflectorRecoveryTest, ItsHealthCanBeReadWhileItRuns) {
  std::jthread reader([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const ReflectorHealth now = health();
      EXPECT_TRUE(!now.in_contact || now.problem.empty());
    }
  });
  Script script;
  for (int i = 0; i < 200; ++i) {
    script.push_back(Refused(ErrorCode::kForbidden, 403));
    script.push_back(Cut({}));
  }
  PlayListed(std::move(script));
  EXPECT_TRUE(health().synced);
}

TEST_F(ReflectorRecoveryTest, AStopEndsAWaitWithoutAnotherRequest) {
  PlayListed({});
  script_ = {Cut({})};
  reflector_->Step({});
  ASSERT_EQ(reflector_->state(), ReflectorState::kWaitToWatch);
  stop_.request_stop();
  reflector_->Step(stop_.get_token());
  EXPECT_EQ(reflector_->state(), ReflectorState::kWaitToWatch);
}

TEST_F(ReflectorRecoveryTest, AStoppedRequestIsNoFailure) {
  Play({});
  EXPECT_EQ(reflector_->state(), ReflectorState::kList);
  EXPECT_EQ(Count(ListResult::kCancelled), 1u);
  Play({ScriptedList{100, {"x"}, "", {}}});
  EXPECT_EQ(reflector_->state(), ReflectorState::kWatch);
  EXPECT_EQ(Count(WatchEnd::kCancelled), 1u);
  EXPECT_TRUE(clock_.sleeps.empty());
}

TEST_F(ReflectorRecoveryTest, DoesNothingWhenStoppedBeforeItRuns) {
  stop_.request_stop();
  reflector_->Run(stop_.get_token());
  EXPECT_TRUE(trace_.empty());
}

}  // namespace
}  // namespace kem

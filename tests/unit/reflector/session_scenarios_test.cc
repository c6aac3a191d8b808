// The fault scenarios at the level of the session: requests, waits, and the
// calls of the handler. Their counters are tested on the whole binary.
#include "reflector/api_lister_watcher.h"
#include "reflector_fixture.h"
#include "testing/scripted_transport.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

using SessionScenarioTest = ReflectorTest;

TEST_F(SessionScenarioTest, ExpiredPageWithAnInconsistentToken) {
  Play({ScriptedList{100, {"a", "x"}, "consistent", {}},
        ToFailure("The list", 410, {},
                  R"({"kind":"Status","metadata":{"continue":"inconsistent"},)"
                  R"("reason":"Expired","code":410})"),
        ScriptedList{140, {"a", "b", "x"}, "", {}}, Cut({Modified("x", 141)})});
  EXPECT_THAT(trace_, ElementsAre("LIST limit=500",
                                  "LIST limit=500&continue=consistent",
                                  "LIST limit=5000", "stage a b x; commit 140",
                                  "WATCH 140", "MODIFIED x@141", "WATCH 140"));
  EXPECT_EQ(Count(ListResult::kExpired) + Count(ListResult::kSuccess), 2u);
}

TEST_F(SessionScenarioTest, CutInsideAFrame) {
  PlayListed({Cut({Added("y", 101), Modified("x", 102).substr(0, 25)}),
              Cut({Added("y", 101), Modified("x", 102), Modified("x", 103)})});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "ADDED y@101", "WATCH 100",
                                  "ADDED y@101", "MODIFIED x@102",
                                  "MODIFIED x@103", "wait 800", "WATCH 102"));
  EXPECT_EQ(Count(DropReason::kTruncated), 1u);
}

TEST_F(SessionScenarioTest, ExpiredInTheStreamWithEverythingChanged) {
  PlayListed(
      {Cut({Added("y", 101), Added("z", 102), ErrorFrame(410, "Expired")}),
       ScriptedList{300, {"x", "z", "w", "v"}, "", {}}});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "ADDED y@101", "ADDED z@102",
                                  "ERROR 410", "LIST limit=500",
                                  "stage x z w v; commit 300", "WATCH 300"));
}

TEST_F(SessionScenarioTest, SilentStaleVersion) {
  const SteadyTime start = clock_.SteadyNow();
  Script script;
  for (int i = 0; i < 8; ++i) {
    script.push_back(Clean({}, milliseconds(50)));
    script.push_back(ScriptedList{100, {"x"}, "", {}});
  }
  PlayListed(std::move(script));
  // The shortest possible waits.
  EXPECT_THAT(
      clock_.sleeps,
      ElementsAre(milliseconds(800), milliseconds(1600), milliseconds(3200),
                  milliseconds(6400), milliseconds(12800), milliseconds(15000),
                  milliseconds(15000), milliseconds(15000)));
  auto at = start;
  int watches = 0;
  for (const auto wait : clock_.sleeps) {
    if (at - start < seconds(30)) ++watches;
    at += wait + milliseconds(50);
  }
  EXPECT_LE(watches, 8);
  EXPECT_EQ(Count(WatchEnd::kShort), 8u);
  EXPECT_THAT(Play({Cut({Modified("x", 101)})}),
              ElementsAre("WATCH 100", "MODIFIED x@101", "WATCH 100"));
}

TEST_F(SessionScenarioTest, RestoredEtcd) {
  Play({ScriptedList{1000000, {"x"}, "", {}}, Clean({}, seconds(240)),
        Clean({}, seconds(240)), ScriptedList{500, {"x", "q"}, "", {}},
        Cut({Modified("x", 501), Modified("x", 502)})});
  EXPECT_THAT(trace_,
              ElementsAre("LIST limit=500", "stage x; commit 1000000",
                          "WATCH 1000000", "WATCH 1000000", "LIST limit=500",
                          "stage x q; commit 500 new epoch", "WATCH 500",
                          "MODIFIED x@501", "MODIFIED x@502", "WATCH 501"));
  EXPECT_EQ(stats_.resource_version_resets, 1u);
}

TEST_F(SessionScenarioTest, BatchOfDeletionsThatIsCut) {
  PlayListed({Cut({FrameOf("DELETED", "x", 200), FrameOf("DELETED", "y", 200)}),
              Cut({FrameOf("DELETED", "x", 200), FrameOf("DELETED", "y", 200),
                   FrameOf("DELETED", "z", 200), Added("x", 210)})});
  EXPECT_EQ(trace_[3], "WATCH 100");
  EXPECT_THAT(trace_, ::testing::Contains("DELETED z@200"));
  EXPECT_EQ(trace_.back(), "WATCH 200");
}

TEST_F(SessionScenarioTest, StormOfThrottling) {
  PlayListed({ToFailure("The watch", 429, seconds(3), "Too many requests"),
              ToFailure("The watch", 429, seconds(3), "Too many requests"),
              ToFailure("The watch", 503, seconds(1), R"({"code":503})"),
              Cut({Added("y", 101), ErrorFrame(429, "TooManyRequests")}),
              Cut({Added("y", 101), Modified("y", 102)})});
  EXPECT_THAT(trace_,
              ElementsAre("WATCH 100", "wait 3000", "WATCH 100", "wait 3000",
                          "WATCH 100", "wait 3200", "WATCH 100", "ADDED y@101",
                          "ERROR 429", "wait 800", "WATCH 100", "ADDED y@101",
                          "MODIFIED y@102", "wait 1600", "WATCH 101"));
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

TEST_F(SessionScenarioTest, ForbiddenForAWhile) {
  UseTwoApis();
  PlayListed({Refused(ErrorCode::kForbidden, 403),
              Refused(ErrorCode::kForbidden, 403),
              Refused(ErrorCode::kForbidden, 403)});
  EXPECT_FALSE(health().in_contact);
  Play({Cut({Added("y", 101), Modified("x", 102)})});
  EXPECT_TRUE(health().in_contact);
  EXPECT_THAT(trace_, ElementsAre("WATCH other 100", "ADDED y@101",
                                  "MODIFIED x@102", "WATCH other 101"));
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

// From the transport up, with bytes in any pieces and malicious ones.
class HostileStreamTest : public ReflectorTest {
 protected:
  HostileStreamTest() { Make({&real_}); }

  const Trace& PlayBytes(std::vector<std::vector<std::string>> streams) {
    transport_.answers.push_back(
        {{200, {}, {}},
         {R"({"metadata":{"resourceVersion":"100"},"items":[]})"}});
    for (auto& pieces : streams) {
      transport_.answers.push_back(
          {{200, {}, {}}, std::move(pieces), HttpEnd::kTruncated, ""});
    }
    while (!transport_.answers.empty()) reflector_->Step({});
    return trace_;
  }

  ScriptedTransport transport_;
  ApiListerWatcher real_{transport_, "/api/v1/events"};
};

TEST_F(HostileStreamTest, OneByteAPiece) {
  std::vector<std::string> pieces;
  for (const char c : Added("y", 101) + Modified("y", 102)) {
    pieces.emplace_back(1, c);
  }
  EXPECT_THAT(
      PlayBytes({pieces}),
      ElementsAre("stage; commit 100", "ADDED y@101", "MODIFIED y@102"));
}

TEST_F(HostileStreamTest, ThreeFramesInOnePiece) {
  EXPECT_THAT(
      PlayBytes({{Added("y", 101) + Modified("y", 102) + Added("z", 103)}}),
      ElementsAre("stage; commit 100", "ADDED y@101", "MODIFIED y@102",
                  "ADDED z@103"));
}

TEST_F(HostileStreamTest, UnknownTypeIsNotAppliedAndNotPassed) {
  EXPECT_THAT(PlayBytes({{Added("y", 101), FrameOf("FOO", "z", 102)},
                         {Added("y", 101), Added("z", 102)}}),
              ElementsAre("stage; commit 100", "ADDED y@101", "FOO z@102",
                          "ADDED y@101", "ADDED z@102"));
  EXPECT_EQ(Count(FrameType::kUnknown), 1u);
  EXPECT_EQ(Count(WatchEnd::kUnknownType), 1u);
}

TEST_F(HostileStreamTest, TwentyMebibytesInOneFrame) {
  const std::vector<std::string> huge(20, std::string(1 << 20, 'x'));
  std::vector<std::string> pieces = {Added("y", 101), "{\"a\":\""};
  pieces.insert(pieces.end(), huge.begin(), huge.end());
  PlayBytes({pieces});
  EXPECT_EQ(Count(DropReason::kOversize), 1u);
  EXPECT_EQ(reflector_->state(), ReflectorState::kList);
}

}  // namespace
}  // namespace kem

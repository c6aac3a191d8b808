// Lists on request, and the selectors of lists and watches.
#include "reflector_fixture.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

class ReflectorRequestTest : public ReflectorTest {
 protected:
  // A request ends the next watch, once.
  void RequestDuringAWatch(const std::vector<std::string>& selectors = {}) {
    api_.while_open = [this, selectors] {
      if (std::exchange(requested_, true)) return;
      handler_.selectors = selectors;
      reflector_->RequestList();
    };
  }

 private:
  bool requested_ = false;
};

TEST_F(ReflectorRequestTest, ListsAndGoesOnFromWhereItWas) {
  RequestDuringAWatch();
  PlayListed(
      {Cut({Added("a", 101), Added("b", 103)}, seconds(9)),
       ScriptedList{110, {"a", "b", "c"}, "", {}},
       Clean({Added("c", 104), Added("d", 111), Added("e", 112)}, seconds(9))});
  // From 101: 103 may be incomplete. 112 shows that 111 is complete.
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "ADDED a@101", "ADDED b@103",
                                  "LIST limit=500", "stage a b c; commit 110",
                                  "WATCH 101", "ADDED c@104", "ADDED d@111",
                                  "ADDED e@112", "WATCH 111"));
  EXPECT_EQ(stats_.unobserved_millis, 0u);
}

TEST_F(ReflectorRequestTest, AfterTheListACutResumesNoLaterThanItsVersion) {
  RequestDuringAWatch();
  PlayListed({Cut({Added("a", 101)}), ScriptedList{110, {"a"}, "", {}},
              Cut({Added("b", 105)}), Cut({Added("c", 111)}, seconds(9))});
  EXPECT_THAT(trace_,
              ElementsAre("WATCH 100", "ADDED a@101", "LIST limit=500",
                          "stage a; commit 110", "WATCH 100", "ADDED b@105",
                          "wait 800", "WATCH 100", "ADDED c@111", "WATCH 110"));
}

TEST_F(ReflectorRequestTest, WithAnotherSelectorTheWatchBeginsAtTheList) {
  RequestDuringAWatch({"type=Warning"});
  PlayListed({Cut({Added("a", 101)}, seconds(9)),
              ScriptedList{110, {"a"}, "", seconds(2)}});
  EXPECT_THAT(trace_,
              ElementsAre("WATCH 100", "ADDED a@101",
                          "LIST limit=500&fieldSelector=type%3DWarning",
                          "stage a; commit 110", "WATCH 110type=Warning"));
  // The two seconds of the list; the watch was complete until it ended.
  EXPECT_EQ(stats_.unobserved_millis, 2000u);
}

TEST_F(ReflectorRequestTest, AVersionThatMayBeCompactedIsNotGoneBackTo) {
  RequestDuringAWatch();
  PlayListed({Cut({}, seconds(280)), ScriptedList{110, {}, "", {}}});
  EXPECT_THAT(trace_, ElementsAre("WATCH 100", "LIST limit=500",
                                  "stage; commit 110", "WATCH 110"));
}

TEST_F(ReflectorRequestTest, ANewEpochIsOneStill) {
  RequestDuringAWatch();
  PlayListed({Cut({Added("a", 101)}), ScriptedList{50, {}, "", {}}});
  EXPECT_EQ(trace_.back(), "WATCH 50");
  EXPECT_EQ(stats_.resource_version_resets, 1u);
}

TEST_F(ReflectorRequestTest, AListUnderWayBeginsAgain) {
  script_ = {ScriptedList{100, {"a"}, "token", {}}};
  reflector_->Step({});
  reflector_->RequestList();
  EXPECT_THAT(
      Play({ScriptedList{101, {"a", "b"}, "", {}}}),
      ElementsAre("LIST limit=500", "stage a b; commit 101", "WATCH 101"));
}

TEST_F(ReflectorRequestTest, AWaitIsServedToItsEnd) {
  Play({ScriptedList{100, {}, "", {}}});
  script_ = {Refused(ErrorCode::kThrottled, 429, seconds(5))};
  reflector_->Step({});
  reflector_->RequestList();
  EXPECT_THAT(Play({ScriptedList{101, {}, "", {}}}),
              ElementsAre("wait 5000", "LIST limit=500", "stage; commit 101",
                          "WATCH 100"));
}

TEST_F(ReflectorRequestTest, ARequestBeforeTheWatchIsNotForgotten) {
  script_ = {ScriptedList{100, {}, "", {}}};
  reflector_->Step({});
  reflector_->RequestList();
  EXPECT_THAT(Play({ScriptedList{101, {}, "", {}}}),
              ElementsAre("LIST limit=500", "stage; commit 101", "WATCH 100"));
}

TEST_F(ReflectorRequestTest, EachApiHasItsSelector) {
  UseTwoApis();
  handler_.selectors = {"involvedObject.kind=Node", "regarding.kind=Node"};
  Play({Refused(ErrorCode::kForbidden, 403), ScriptedList{100, {}, "", {}},
        Refused(ErrorCode::kForbidden, 403)});
  EXPECT_THAT(
      trace_,
      ElementsAre("LIST limit=500&fieldSelector=involvedObject.kind%3DNode",
                  "wait 800",
                  "LIST other limit=500&fieldSelector=regarding.kind%3DNode",
                  "stage; commit 100", "WATCH other 100regarding.kind=Node",
                  "wait 1600", "WATCH 100involvedObject.kind=Node"));
}

}  // namespace
}  // namespace kem

#include "reflector_fixture.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

using ReflectorListTest = ReflectorTest;

TEST_F(ReflectorListTest, CommitsOnePageAndWatchesFromItsVersion) {
  EXPECT_THAT(
      Play({ScriptedList{100, {"x", "y"}, "", {}}}),
      ElementsAre("LIST limit=500", "stage x y; commit 100", "WATCH 100"));
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

TEST_F(ReflectorListTest, CommitsOnlyAfterTheLastPage) {
  EXPECT_THAT(
      Play({ScriptedList{100, {"a"}, "t1", {}}, ScriptedList{100, {}, "t2", {}},
            ScriptedList{100, {"b"}, "", {}}}),
      ElementsAre("LIST limit=500", "LIST limit=500&continue=t1",
                  "LIST limit=500&continue=t2", "stage a b; commit 100",
                  "WATCH 100"));
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

TEST_F(ReflectorListTest, TakesTheVersionOfTheFirstPage) {
  EXPECT_THAT(Play({ScriptedList{100, {"a"}, "t1", {}},
                    ScriptedList{140, {"b"}, "", {}}})
                  .back(),
              "WATCH 100");
}

TEST_F(ReflectorListTest, CommitsAnEmptyList) {
  EXPECT_THAT(Play({ScriptedList{7, {}, "", {}}}),
              ElementsAre("LIST limit=500", "stage; commit 7", "WATCH 7"));
}

TEST_F(ReflectorListTest, GivesTheServersTimeOrElseOurs) {
  Play({ScriptedList{7, {}, "", {}}});
  EXPECT_EQ(handler_.last_commit.server_time, clock_.WallNow());
}

TEST_F(ReflectorListTest, TreatsAListWithoutAVersionAsMalformed) {
  EXPECT_THAT(Play({ScriptedList{0, {"x"}, "", {}}}),
              ElementsAre("LIST limit=500", "wait 800", "LIST limit=500"));
  EXPECT_EQ(Count(ListResult::kMalformed), 1u);
  EXPECT_FALSE(health().synced);
}

TEST_F(ReflectorListTest, StartsOverWithLargerPagesWhenAPageExpired) {
  EXPECT_THAT(Play({ScriptedList{100, {"a"}, "t1", {}},
                    Refused(ErrorCode::kExpired, 410),
                    ScriptedList{110, {"a"}, "t2", {}},
                    Refused(ErrorCode::kExpired, 410),
                    ScriptedList{140, {"a", "b"}, "", {}}}),
              ElementsAre("LIST limit=500", "LIST limit=500&continue=t1",
                          "LIST limit=5000", "LIST limit=5000&continue=t2",
                          "LIST ", "stage a b; commit 140", "WATCH 140"));
  EXPECT_EQ(Count(ListResult::kExpired), 2u);
  EXPECT_EQ(Count(ListResult::kSuccess), 1u);
}

TEST_F(ReflectorListTest, AsksForTheUsualPagesAgainAfterASuccess) {
  PlayListed({});
  Play({Refused(ErrorCode::kExpired, 410), ScriptedList{110, {}, "t", {}},
        Refused(ErrorCode::kExpired, 410), ScriptedList{120, {}, "", {}},
        Refused(ErrorCode::kExpired, 410), ScriptedList{130, {}, "", {}}});
  EXPECT_THAT(trace_,
              ElementsAre("WATCH 100", "wait 800", "LIST limit=500",
                          "LIST limit=500&continue=t", "LIST limit=5000",
                          "stage; commit 120", "WATCH 120", "wait 1600",
                          "LIST limit=500", "stage; commit 130", "WATCH 130"));
}

TEST_F(ReflectorListTest, BacksOffWhenPagesGoOnExpiring) {
  Script script;
  for (int i = 0; i < 5; ++i) {
    script.push_back(ScriptedList{100, {}, "t", {}});
    script.push_back(Refused(ErrorCode::kExpired, 410));
  }
  Play(std::move(script));
  EXPECT_EQ(clock_.sleeps,
            (std::vector{milliseconds(800), milliseconds(1600)}));
}

TEST_F(ReflectorListTest, AsksForATenthWhenAPageIsTooLarge) {
  EXPECT_THAT(Play({Refused(ErrorCode::kTooLarge, 200),
                    Refused(ErrorCode::kTooLarge, 200),
                    Refused(ErrorCode::kTooLarge, 200),
                    Refused(ErrorCode::kTooLarge, 200),
                    ScriptedList{100, {"x"}, "", {}}}),
              ElementsAre("LIST limit=500", "LIST limit=50", "LIST limit=5",
                          "LIST limit=1", "wait 800", "LIST limit=1",
                          "stage x; commit 100", "WATCH 100"));
  EXPECT_EQ(Count(ListResult::kTooLarge), 4u);
}

TEST_F(ReflectorListTest, ForgetsThePagesOfAListThatFailed) {
  EXPECT_THAT(
      Play({ScriptedList{100, {"a"}, "t", {}},
            Refused(ErrorCode::kUnavailable, 500),
            ScriptedList{110, {"b"}, "", {}}}),
      ElementsAre("LIST limit=500", "LIST limit=500&continue=t", "wait 800",
                  "LIST limit=500", "stage b; commit 110", "WATCH 110"));
}

TEST_F(ReflectorListTest, LeavesOutAndCountsItemsThatAreNoEvents) {
  EXPECT_THAT(
      Play({ScriptedList{100, {"x", kNoEvent, "y"}, "", {}}}),
      ElementsAre("LIST limit=500", "stage x y; commit 100", "WATCH 100"));
  EXPECT_EQ(Count(DropReason::kMalformed), 1u);
}

TEST_F(ReflectorListTest, NeverTakesLongerThanAVersionLives) {
  Script script;
  for (int i = 0; i < 5; ++i) {
    script.push_back(ScriptedList{100, {}, "t", seconds(60)});
  }
  Play(std::move(script));
  EXPECT_EQ(Count(ListResult::kUnavailable), 1u);
  EXPECT_THAT(api_.list_timeouts,
              ElementsAre(seconds(65), seconds(65), seconds(65), seconds(65),
                          seconds(30), seconds(65)));
  EXPECT_EQ(trace_.back(), "LIST limit=500");
}

TEST_F(ReflectorListTest, DeclaresANewEpochWhenTheVersionWentBack) {
  Play({ScriptedList{1000000, {"x"}, "", {}}, Clean({}, minutes(6)),
        ScriptedList{500, {"x", "q"}, "", {}}, Cut({Modified("x", 501)})});
  EXPECT_THAT(trace_, ElementsAre("LIST limit=500", "stage x; commit 1000000",
                                  "WATCH 1000000", "LIST limit=500",
                                  "stage x q; commit 500 new epoch",
                                  "WATCH 500", "MODIFIED x@501", "WATCH 500"));
  EXPECT_EQ(stats_.resource_version_resets, 1u);
}

struct ListFailureCase {
  std::string name;
  Failure failure;
  milliseconds wait;
  ListResult result;
  // The API of the next list.
  std::string next = "LIST limit=500";
};

class ListFailureTest : public ReflectorTest,
                        public ::testing::WithParamInterface<ListFailureCase> {
};

TEST_P(ListFailureTest, IsWaitedOut) {
  UseTwoApis();
  Play({GetParam().failure});
  EXPECT_THAT(trace_,
              ElementsAre("LIST limit=500",
                          "wait " + std::to_string(GetParam().wait.count()),
                          GetParam().next));
  EXPECT_EQ(Count(GetParam().result), 1u);
  EXPECT_FALSE(health().in_contact);
  EXPECT_EQ(health().problem, "refused");
}

INSTANTIATE_TEST_SUITE_P(
    AllCodes, ListFailureTest,
    ::testing::Values(
        ListFailureCase{"NoAnswer", Refused(ErrorCode::kUnavailable),
                        milliseconds(800), ListResult::kUnavailable},
        ListFailureCase{"ServerError", Refused(ErrorCode::kUnavailable, 500),
                        milliseconds(800), ListResult::kUnavailable},
        ListFailureCase{"Overload",
                        Refused(ErrorCode::kUnavailable, 503, seconds(5)),
                        seconds(5), ListResult::kUnavailable},
        ListFailureCase{"Throttled",
                        Refused(ErrorCode::kThrottled, 429, seconds(3)),
                        seconds(3), ListResult::kThrottled},
        ListFailureCase{"ThrottledForLong",
                        Refused(ErrorCode::kThrottled, 429, seconds(3600)),
                        seconds(60), ListResult::kThrottled},
        ListFailureCase{"ThrottledBriefly",
                        Refused(ErrorCode::kThrottled, 429, seconds(0)),
                        milliseconds(800), ListResult::kThrottled},
        ListFailureCase{"Unauthorized", Refused(ErrorCode::kUnauthorized, 401),
                        milliseconds(800), ListResult::kUnauthorized},
        ListFailureCase{"Forbidden", Refused(ErrorCode::kForbidden, 403),
                        milliseconds(800), ListResult::kForbidden,
                        "LIST other limit=500"},
        ListFailureCase{"NotFound", Refused(ErrorCode::kNotFound, 404),
                        milliseconds(800), ListResult::kNotFound,
                        "LIST other limit=500"},
        ListFailureCase{"Rejected", Refused(ErrorCode::kRejected, 422),
                        seconds(30), ListResult::kRejected},
        ListFailureCase{"Malformed", Refused(ErrorCode::kMalformed, 200),
                        milliseconds(800), ListResult::kMalformed}),
    [](const auto& param) { return param.param.name; });

TEST_F(ReflectorListTest, AlternatesBetweenApisUntilOneIsGranted) {
  UseTwoApis();
  EXPECT_THAT(Play({Refused(ErrorCode::kNotFound, 404),
                    Refused(ErrorCode::kForbidden, 403),
                    Refused(ErrorCode::kNotFound, 404),
                    ScriptedList{100, {"x"}, "", {}}}),
              ElementsAre("LIST limit=500", "wait 800", "LIST other limit=500",
                          "wait 1600", "LIST limit=500", "wait 3200",
                          "LIST other limit=500", "stage x; commit 100",
                          "WATCH other 100"));
}

}  // namespace
}  // namespace kem

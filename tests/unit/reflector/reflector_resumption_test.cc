// Resuming from the state of an earlier process.

#include "reflector_fixture.h"

namespace kem {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;

class ReflectorResumptionTest : public ReflectorTest {
 protected:
  // The earlier process saw 99 and then 100, one minute ago.
  ReflectorResumptionTest() {
    clock_.Advance(minutes(10));
    const SteadyTime then = clock_.SteadyNow() - minutes(1);
    ReflectorOptions options;
    handler_.point.Observe(99, then);
    handler_.point.Observe(100, then);
    options.resumed_whole_until = then;
    Make({&api_}, options);
  }
};

TEST_F(ReflectorResumptionTest, WatchesWithoutAListAndIsSynced) {
  EXPECT_TRUE(health().synced);
  EXPECT_FALSE(health().in_contact);
  const Trace& trace =
      Play({Clean({Modified("x", 100), Added("y", 101)}, minutes(4))});
  EXPECT_THAT(trace, ElementsAre("WATCH 99", "MODIFIED x@100", "ADDED y@101",
                                 "WATCH 100"));
  EXPECT_TRUE(health().in_contact);
  EXPECT_EQ(stats_.unobserved_millis, 0U);
}

TEST_F(ReflectorResumptionTest, ListsWhenTheVersionExpired) {
  const Trace& trace = Play(
      {Refused(ErrorCode::kExpired, 410), ScriptedList{900, {"x"}, "", {}}});
  EXPECT_EQ(trace[0], "WATCH 99");
  EXPECT_EQ(trace[trace.size() - 2], "stage x; commit 900");
  EXPECT_EQ(trace.back(), "WATCH 900");
  EXPECT_FALSE(handler_.last_commit.new_epoch);
  // The downtime of one minute, and the wait before the list.
  EXPECT_GE(stats_.unobserved_millis, 60'000U);
}

// A watch from a future version is silent: etcd may have been restored during
// the downtime.
TEST_F(ReflectorResumptionTest, ListsAfterAShortSilence) {
  const Trace& trace =
      Play({Clean({}, seconds(10)), ScriptedList{50, {"x"}, "", {}}});
  EXPECT_LE(api_.watch_timeouts[0], seconds(10));
  EXPECT_THAT(trace, ElementsAre("WATCH 99", "LIST limit=500",
                                 "stage x; commit 50 new epoch", "WATCH 50"));
  EXPECT_EQ(stats_.resource_version_resets, 1U);
  EXPECT_GE(api_.watch_timeouts[1], seconds(240));
}

TEST_F(ReflectorResumptionTest, StaysWithTheWatchOnceItWorked) {
  const Trace& trace = Play({Clean({Added("y", 101)}, seconds(10)),
                             Clean({}, minutes(3)), Clean({}, seconds(10))});
  EXPECT_THAT(trace, ElementsAre("WATCH 99", "ADDED y@101", "WATCH 100",
                                 "WATCH 100", "WATCH 100"));
  EXPECT_GE(api_.watch_timeouts[1], seconds(240));
}

// What happened since arrives at the beginning of a watch, and in a list.
TEST_F(ReflectorResumptionTest, HasCaughtUpAfterASecondOfWatchingOrAList) {
  std::vector<bool> caught_up;
  const auto note = [&] {
    caught_up.push_back(clock_.SteadyNow() >= health().caught_up_at);
  };
  api_.while_open = [&] {
    note();
    clock_.Advance(seconds(1));
    note();
  };
  note();
  Play({Clean({Added("y", 101)}, seconds(10))});
  note();
  EXPECT_THAT(caught_up, ElementsAre(false, false, true, true));
}

TEST_F(ReflectorResumptionTest, HasNotCaughtUpAfterAShortWatch) {
  Play({Cut({Added("y", 101)}, std::chrono::milliseconds(900))});
  clock_.Advance(minutes(1));
  EXPECT_LT(clock_.SteadyNow(), health().caught_up_at);
}

TEST_F(ReflectorResumptionTest, HasCaughtUpByAList) {
  Play({Refused(ErrorCode::kExpired, 410), ScriptedList{900, {"x"}, "", {}}});
  EXPECT_GE(clock_.SteadyNow(), health().caught_up_at);
}

}  // namespace
}  // namespace kem

// When the next watch waits, how long watches last, and whether their watch
// events are late.
#include "reflector_fixture.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

using ReflectorBackoffTest = ReflectorTest;

TEST_F(ReflectorBackoffTest, BacksOffWhenOnlyReplaysCome) {
  Play({ScriptedList{100, {}, ""}, Cut({Added("y", 101)}),
        Cut({Added("y", 101)}), Cut({Added("y", 101)}),
        Cut({Added("y", 101), Added("z", 102)})});
  EXPECT_EQ(clock_.sleeps, (std::vector{milliseconds(800), milliseconds(1600),
                                        milliseconds(3200)}));
}

TEST_F(ReflectorBackoffTest, BackoffGrowsWhileNothingWorks) {
  PlayListed({Refused(ErrorCode::kUnavailable),
              Refused(ErrorCode::kUnavailable, 503),
              Refused(ErrorCode::kUnauthorized, 401),
              Refused(ErrorCode::kForbidden, 403), Cut({})});
  EXPECT_THAT(clock_.sleeps, ElementsAre(milliseconds(800), milliseconds(1600),
                                         milliseconds(3200), milliseconds(6400),
                                         milliseconds(12800)));
}

TEST_F(ReflectorBackoffTest, BackoffStartsOverAfterANewFrame) {
  PlayListed({Cut({}), Cut({}), Cut({Added("y", 101)}), Cut({})});
  EXPECT_THAT(clock_.sleeps, ElementsAre(milliseconds(800), milliseconds(1600),
                                         milliseconds(800)));
}

TEST_F(ReflectorBackoffTest, BackoffStartsOverAfterFiveSecondsOfWatching) {
  PlayListed({Cut({}), Cut({}), Cut({}, seconds(5)), Cut({})});
  EXPECT_THAT(clock_.sleeps, ElementsAre(milliseconds(800), milliseconds(1600),
                                         milliseconds(800)));
}

// How each watch ends at once after it brought something new.
struct BusyCase {
  std::string name;
  ScriptedWatch watch;
  WatchEnd end;
  // A list follows.
  bool lists = false;
};

class BusyServerTest : public ReflectorTest,
                       public ::testing::WithParamInterface<BusyCase> {};

TEST_P(BusyServerTest, IsAskedLessAndLessOften) {
  const bool lists = GetParam().lists;
  Script script;
  for (uint64_t version = 101; version <= 108; ++version) {
    ScriptedWatch watch = GetParam().watch;
    watch.pieces.insert(watch.pieces.begin(), Added("y", version));
    script.push_back(watch);
    if (lists) script.push_back(ScriptedList{version, {"y"}, ""});
  }
  PlayListed(std::move(script));
  EXPECT_EQ(Count(GetParam().end), 8u);
  EXPECT_EQ(Count(ListResult::kSuccess), lists ? 9u : 1u);
  std::vector<milliseconds> waits = {milliseconds(800),   milliseconds(1600),
                                     milliseconds(3200),  milliseconds(6400),
                                     milliseconds(12800), milliseconds(15000),
                                     milliseconds(15000)};
  // What is followed by a wait in any case begins one wait earlier.
  if (clock_.sleeps.size() == 8) waits.emplace_back(15000);
  EXPECT_THAT(clock_.sleeps, ElementsAreArray(waits));
}

INSTANTIATE_TEST_SUITE_P(
    Ends, BusyServerTest,
    ::testing::Values(
        BusyCase{"Clean", Clean({}, milliseconds(1)), WatchEnd::kClean},
        BusyCase{"Cut", Cut({}), WatchEnd::kTruncated},
        BusyCase{"Garbage", Cut({"{]}\n"}), WatchEnd::kMalformed},
        BusyCase{"UnknownType", Cut({FrameOf("FOO", "z", 1)}),
                 WatchEnd::kUnknownType},
        BusyCase{"Throttled", Cut({ErrorFrame(429, "TooManyRequests")}),
                 WatchEnd::kThrottled},
        BusyCase{"Expired", Cut({ErrorFrame(410, "Expired")}),
                 WatchEnd::kExpired, true},
        BusyCase{"Error", Cut({ErrorFrame(500, "InternalError")}),
                 WatchEnd::kError, true}),
    [](const auto& param) { return param.param.name; });

TEST_F(ReflectorBackoffTest, AHealthyWatchEndsARowOfShortOnes) {
  PlayListed({Cut({Added("a", 101)}), Cut({Added("b", 102)}),
              Cut({}, seconds(5)), Cut({Added("c", 103)})});
  EXPECT_THAT(clock_.sleeps, ElementsAre(milliseconds(800)));
}

// A watch of two seconds that ends as it should is not a short one.
TEST_F(ReflectorBackoffTest, AShortTimeoutIsNoFailure) {
  ReflectorOptions options;
  options.watch_timeout = seconds(2);
  Make({&api_}, options);
  PlayListed({Clean({}, seconds(2)), Clean({Added("a", 101)}, seconds(2)),
              Clean({Added("a", 101)}, seconds(2)), Clean({}, seconds(2))});
  EXPECT_TRUE(clock_.sleeps.empty());
  EXPECT_EQ(Count(WatchEnd::kClean), 4u);
}

TEST_F(ReflectorBackoffTest, AsksForShorterWatchesWhereTheyAreCut) {
  random_ = 0.999999;
  PlayListed({Cut({}, seconds(30)), Cut({}, seconds(30)), Cut({}, seconds(30)),
              Clean({}, seconds(27)), Clean({}, seconds(27))});
  EXPECT_THAT(api_.watch_timeouts,
              ElementsAre(seconds(290), seconds(290), seconds(290),
                          seconds(290), seconds(27), seconds(27), seconds(27)));
  EXPECT_TRUE(clock_.sleeps.empty());
  clock_.Advance(std::chrono::hours(1));
  Play({});
  EXPECT_EQ(api_.watch_timeouts.back(), seconds(290));
}

// A proxy that buffers: three Events of the last minute arrive together.
TEST_F(ReflectorBackoffTest, NoticesThatWatchEventsArriveLate) {
  const auto created = [&](int second, uint64_t version) {
    std::string frame = Added("y", version);
    return frame.replace(frame.rfind("}}"), 2,
                         ",\"created\":" + std::to_string(second) + "}}");
  };
  PlayListed({Clean({}, seconds(240))});
  EXPECT_FALSE(health().late);
  ScriptedWatch buffered =
      Clean({created(2'000'010, 101), created(2'000'030, 102),
             created(2'000'060, 103)},
            seconds(0));
  buffered.silent_first = seconds(60);
  Play({buffered});
  EXPECT_EQ(stats_.late_watch_events, 2u);
  EXPECT_TRUE(health().late);
  EXPECT_TRUE(health().in_contact);
  // Two watches in time.
  Play({Clean({created(2'000'060, 104)}, seconds(30))});
  EXPECT_TRUE(health().late);
  Play({Clean({created(2'000'090, 105)}, seconds(30))});
  EXPECT_FALSE(health().late);
  EXPECT_EQ(stats_.late_watch_events, 2u);
}

// Times in seconds after the list at version 100. The API server's clock is an
// hour ahead.
class SilentWatchTest : public ReflectorBackoffTest {
 protected:
  SilentWatchTest() { Play({ListAt(100)}); }

  ScriptedList ListAt(uint64_t version) {
    return {version, {"x"}, "", {}, Server(clock_.WallNow())};
  }
  static WallTime Server(WallTime time) { return time + std::chrono::hours(1); }
  // A watch of 240 s and one of 60 s that bring nothing. The list after them
  // has an Event of that age.
  void CreatedAt(int second) {
    handler_.created = Server(clock_.WallNow() + seconds(second));
    Play({Clean({}, seconds(240)), Clean({}, seconds(60)),
          ScriptedList{200, {"x"}, "", {}, ListDate()}});
  }
  std::optional<WallTime> ListDate() {
    return Server(clock_.WallNow() + seconds(300));
  }
};

TEST_F(SilentWatchTest, AListShowsAnEventThatTheWatchDidNotBring) {
  CreatedAt(100);
  EXPECT_EQ(stats_.late_watch_events, 1u);
  EXPECT_TRUE(health().late);
  EXPECT_TRUE(health().in_contact);
}

TEST_F(SilentWatchTest, AnEventFromTheEndOfTheWatchMayBeOnItsWay) {
  CreatedAt(291);
  EXPECT_FALSE(health().late);
}

TEST_F(SilentWatchTest, AnEventFromBeforeTheWatchIsKnown) {
  CreatedAt(9);
  EXPECT_FALSE(health().late);
}

TEST_F(SilentWatchTest, AnAbsurdTimeMeansNothing) {
  for (const auto years : {-8000, 8000}) {
    CreatedAt(0);
    handler_.created += std::chrono::hours(24 * 365 * years);
    Play({Clean({}, seconds(240)), Clean({}, seconds(60)),
          ScriptedList{300, {"x"}, "", {}, ListDate()}});
    EXPECT_FALSE(health().late);
  }
}

TEST_F(SilentWatchTest, WithoutADateThereIsNothingToCompare) {
  handler_.created = Server(clock_.WallNow() + seconds(100));
  Play({Clean({}, seconds(240)), Clean({}, seconds(60)),
        ScriptedList{200, {"x"}, "", {}}});
  EXPECT_FALSE(health().late);
}

// As after a restore of etcd.
TEST_F(SilentWatchTest, AVersionThatWentBackExplainsTheSilence) {
  handler_.created = Server(clock_.WallNow() + seconds(100));
  Play({Clean({}, seconds(240)), Clean({}, seconds(60)),
        ScriptedList{50, {"x"}, "", {}, ListDate()}});
  EXPECT_FALSE(health().late);
}

}  // namespace
}  // namespace kem

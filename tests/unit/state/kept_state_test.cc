// The state with its lock and threads; state_store_test.cc tests what they
// write.

#include "state/kept_state.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "testing/fake_clock.h"
#include "testing/temp_folder.h"
#include "unit/state/ledger_fixture.h"

namespace kem {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class KeptStateTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<KeptState>> Open(Clock& with) {
    StateOptions options;
    options.path = path;
    options.origin = "https://10.0.0.1:6443";
    options.interval = std::chrono::hours(1);
    return KeptState::Open(options, SmallOptions(), {"", "shop"}, files, with,
                           stop.get_token());
  }
  // What a start after a kill at this moment finds.
  std::string Found(SteadyTime now) {
    const TempFolder elsewhere;
    fs::copy(folder.path(), elsewhere.path() + "/copy");
    const LoadedState loaded =
        LoadState(files, elsewhere.path() + "/copy/state",
                  "https://10.0.0.1:6443", SmallOptions(), fake_clock);
    EXPECT_EQ(loaded.result, StateLoad::kLoaded);
    return Shown(*loaded.ledger, now);
  }

  DiskFileSystem files;
  std::stop_source stop;
  TempFolder folder;
  const std::string path = folder.path() + "/state";
  FakeClock fake_clock;
  // Its steady clock does not move, so that no time is shifted.
  struct StandingClock : RealClock {
    WallTime WallNow() const override { return fake.WallNow(); }
    SteadyTime SteadyNow() const override { return fake.SteadyNow(); }
    FakeClock fake;
  } clock;
};

TEST_F(KeptStateTest, KeepsNothingWithoutAFile) {
  auto kept = KeptState::Open({}, SmallOptions(), {""}, files, fake_clock, {});
  ASSERT_TRUE(kept);
  (*kept)->Start([] {});
  (*kept)->Flush();
  (*kept)->Stop();
  EXPECT_FALSE((*kept)->stats().enabled);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST_F(KeptStateTest, AFileIsForOneProcessAtATime) {
  auto first = Open(fake_clock);
  ASSERT_TRUE(first);
  const auto second = Open(fake_clock);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr(path));
  EXPECT_THAT(second.error().message, HasSubstr("in use by another"));
  EXPECT_EQ(fake_clock.sleeps.size(),
            60U);  // the other process may be about to end
  first->reset();
  EXPECT_TRUE(Open(fake_clock));
}

// 12 s are promised from SIGTERM to the exit.
TEST_F(KeptStateTest, AStopEndsTheWaitForAnotherProcess) {
  const auto first = Open(fake_clock);
  ASSERT_TRUE(first);
  struct StoppingClock : RealClock {
    explicit StoppingClock(std::stop_source& to_stop) : source(to_stop) {}
    bool SleepFor(std::chrono::milliseconds duration,
                  std::stop_token token) override {
      if (++sleeps == 3) source.request_stop();
      return fake.SleepFor(duration, std::move(token));
    }
    std::stop_source& source;
    FakeClock fake;
    int sleeps = 0;
  } stopping(stop);
  const auto second = Open(stopping);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(stopping.sleeps, 3);
}

// The threads of the sinks flush.
TEST_F(KeptStateTest, AFlushBeforeTheStartDoesNoHarm) {
  auto kept = Open(clock);
  ASSERT_TRUE(kept);
  (*kept)->Flush();
  (*kept)->Start([] {});
  (*kept)->Flush();
  EXPECT_EQ((*kept)->stats().saves[0], 1U);
}

TEST_F(KeptStateTest, WhatIsFlushedSurvivesAKill) {
  auto kept = Open(clock);
  ASSERT_TRUE(kept);
  (*kept)->ledger().FindCollection("");
  (*kept)->ledger().FindCollection("shop");
  (*kept)->Start([] {});
  Driver driver(3);
  for (int i = 0; i < 50; ++i) {
    {
      const std::lock_guard guard((*kept)->ledger().mutex());
      driver.Step((*kept)->ledger());
    }
    (*kept)->Flush();
  }
  EXPECT_EQ(Found(driver.now().steady),
            Shown((*kept)->ledger(), driver.now().steady));
}

TEST_F(KeptStateTest, StopSavesWhatWasNotFlushed) {
  auto kept = Open(clock);
  ASSERT_TRUE(kept);
  (*kept)->ledger().FindCollection("");
  (*kept)->ledger().FindCollection("shop");
  (*kept)->Start([] {});
  Driver driver(4);
  {
    const std::lock_guard guard((*kept)->ledger().mutex());
    for (int i = 0; i < 50; ++i) driver.Step((*kept)->ledger());
  }
  (*kept)->Stop();
  // The first snapshot, a sync, and the last snapshot.
  EXPECT_EQ((*kept)->stats().saves[0], 3U);
  EXPECT_EQ(Found(driver.now().steady),
            Shown((*kept)->ledger(), driver.now().steady));
}

}  // namespace
}  // namespace kem

// Durations, the environment, randomness, hashes and termination signals: a few
// lines each.
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "base/duration.h"
#include "base/environment.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/termination.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(DurationTest, ReadsGoDurations) {
  EXPECT_EQ(ParseDuration("0"), milliseconds(0));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("75s"), seconds(75));
  EXPECT_EQ(ParseDuration("5m"), minutes(5));
  EXPECT_EQ(ParseDuration("1h30m"), minutes(90));
  EXPECT_EQ(ParseDuration("10000h"), hours(10000));
}

TEST(DurationTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "5", "s", "-1s", "+1s", "1.5s", "1 s", "1d", "1s ", " 1s", "1h-1m",
        "00", "10001h", "99999999999s", "4294967295h4294967295h"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(EnvironmentTest, TellsUnsetFromEmpty) {
  const Environment environment = ProcessEnvironment();
  EXPECT_TRUE(environment("PATH"));
  EXPECT_FALSE(environment("KEM_TEST_SURELY_NOT_SET"));
}

TEST(RandomTest, StaysInItsRange) {
  const RandomUnit random = MakeRandomUnit();
  bool differs = false;
  const double first = random();
  for (int i = 0; i < 1000; ++i) {
    const double next = random();
    EXPECT_GE(next, 0.0);
    EXPECT_LT(next, 1.0);
    differs = differs || next != first;
  }
  EXPECT_TRUE(differs);
}

TEST(HashTest, IsSteadyInAProcessAndDiffersByContentAndSecret) {
  const Hasher hash;
  EXPECT_EQ(hash("default/a"), hash("default/a"));
  EXPECT_FALSE(hash("default/a") == hash("default/b"));
  EXPECT_FALSE(hash("") == hash(std::string_view("\0", 1)));
  EXPECT_FALSE(hash("default/a") == Hasher()("default/a"));
  EXPECT_EQ(Hasher(hash.secret())("default/a"), hash("default/a"));
}

TEST(TerminationTest, WaitsForTheSignal) {
  // On a thread of its own, whose mask goes with it.
  std::thread([] {
    const TerminationSignals signals;
    // Waits for it, as it is blocked now.
    std::raise(SIGTERM);
    EXPECT_EQ(signals.Wait(), SIGTERM);
  }).join();
}

}  // namespace
}  // namespace kem

// Parts of base/ that need only a few lines of tests each: durations, the
// environment, errors, randomness, hashes, percent-encoding, signals.
#include <gtest/gtest.h>

#include <csignal>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/duration.h"
#include "base/encoding.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/termination.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(DurationTest, ReadsGoDurations) {
  EXPECT_EQ(ParseDuration("0"), milliseconds(0));
  EXPECT_EQ(ParseDuration("0s"), milliseconds(0));
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("75s"), seconds(75));
  EXPECT_EQ(ParseDuration("5m"), minutes(5));
  EXPECT_EQ(ParseDuration("1h30m"), minutes(90));
  EXPECT_EQ(ParseDuration("10000h"), hours(10000));
  EXPECT_EQ(ParseDuration("1.5s"), milliseconds(1500));
  EXPECT_EQ(ParseDuration(".5s"), milliseconds(500));
  EXPECT_EQ(ParseDuration("2.h"), hours(2));
  EXPECT_EQ(ParseDuration("1.25h"), minutes(75));
  EXPECT_EQ(ParseDuration("1h1.5m"), seconds(3690));
  EXPECT_EQ(ParseDuration("2000us"), milliseconds(2));
  EXPECT_EQ(ParseNanoseconds("100us"), microseconds(100));
  EXPECT_EQ(ParseNanoseconds("100\u00b5s"), microseconds(100));
  EXPECT_EQ(ParseNanoseconds("100\u03bcs"), microseconds(100));
  EXPECT_EQ(ParseNanoseconds("7ns"), nanoseconds(7));
  EXPECT_EQ(ParseNanoseconds("0.0000000019s"), nanoseconds(1));
  EXPECT_EQ(ParseNanoseconds("0.100000000000000000000h"), minutes(6));
}

TEST(DurationTest, RefusesPartsOfAMillisecondWhereTheyWouldBeLost) {
  EXPECT_FALSE(ParseDuration("100us"));
  EXPECT_FALSE(ParseDuration("1.0005s"));
}

TEST(DurationTest, RefusesEverythingElse) {
  for (const char* text : {"",
                           "5",
                           "s",
                           "-1s",
                           "+1s",
                           ".s",
                           "1.5",
                           "1..5s",
                           "1.5.5s",
                           "1 s",
                           "1w",
                           "417d",
                           "1s ",
                           " 1s",
                           "1h-1m",
                           "00",
                           "10001h",
                           "10000.1h",
                           "99999999999s",
                           "99999999999999999999999999999999h",
                           "9999h9999h"}) {
    EXPECT_FALSE(ParseNanoseconds(text)) << text;
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

TEST(PercentEncodingTest, EncodesAllButTheAllowedCharacters) {
  EXPECT_EQ(PercentEncode(""), "");
  EXPECT_EQ(PercentEncode("worker-1.aZ_09~"), "worker-1.aZ_09~");
  EXPECT_EQ(PercentEncode("a/../b?c#d%e f\xC3\xA9"),
            "a%2F..%2Fb%3Fc%23d%25e%20f%C3%A9");
  EXPECT_EQ(PercentEncode("a b&c=d%\n\xff"), "a%20b%26c%3Dd%25%0A%FF");
  EXPECT_EQ(PercentEncode("a/b-c", "/"), "a/b%2Dc");
}

TEST(PercentEncodingTest, DecodesOnlyWhatIsWellFormed) {
  EXPECT_EQ(PercentDecode("a%2Fb%c3%A9+"), "a/b\xC3\xA9+");
  for (const char* text : {"%", "%2", "a%2", "%2g", "%g2", "%-1"}) {
    EXPECT_FALSE(PercentDecode(text)) << text;
  }
}

TEST(ErrorTest, NamesEachCode) {
  EXPECT_EQ(ToString(ErrorCode::kUnavailable), "unavailable");
  EXPECT_EQ(ToString(ErrorCode::kExpired), "expired");
  EXPECT_EQ(ToString(ErrorCode::kThrottled), "throttled");
  EXPECT_EQ(ToString(ErrorCode::kUnauthorized), "unauthorized");
  EXPECT_EQ(ToString(ErrorCode::kForbidden), "forbidden");
  EXPECT_EQ(ToString(ErrorCode::kNotFound), "not_found");
  EXPECT_EQ(ToString(ErrorCode::kRejected), "rejected");
  EXPECT_EQ(ToString(ErrorCode::kMalformed), "malformed");
  EXPECT_EQ(ToString(ErrorCode::kTooLarge), "too_large");
  EXPECT_EQ(ToString(ErrorCode::kCancelled), "cancelled");
  EXPECT_EQ(ToString(ErrorCode::kInvalidConfig), "invalid_config");
  EXPECT_EQ(ToString(ErrorCode::kInternal), "internal");
}

TEST(TerminationTest, WaitsForTheSignal) {
  // On a separate thread, because the signal mask stays changed.
  std::thread([] {
    const TerminationSignals signals;
    // Stays pending, because it is blocked.
    std::raise(SIGTERM);
    EXPECT_EQ(signals.Wait(), SIGTERM);
  }).join();
}

TEST(TerminationTest, AStopEndsTheWait) {
  std::thread([] {
    const TerminationSignals signals;
    std::stop_source stop;
    std::raise(SIGTERM);
    EXPECT_EQ(signals.Wait(stop.get_token()), SIGTERM);
    stop.request_stop();
    EXPECT_EQ(signals.Wait(stop.get_token()), std::nullopt);
  }).join();
}

}  // namespace
}  // namespace kem

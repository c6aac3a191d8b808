#include "state/ledger.h"

#include <gmock/gmock.h>

#include "state/ledger_log.h"
#include "unit/state/ledger_fixture.h"

namespace kem {
namespace {

constexpr std::chrono::nanoseconds kNoShift{0};

class LedgerTest : public ::testing::TestWithParam<unsigned> {
 protected:
  Ledger ledger{SmallOptions(), Hasher()};
  Driver driver{GetParam()};
};

TEST_P(LedgerTest, StepsTakenAgainLeadToTheSame) {
  for (int i = 0; i < 300; ++i) driver.Step(ledger);
  std::string saved;
  ledger.Save(saved);
  ledger.StartLog([] {});
  for (int i = 0; i < 500; ++i) driver.Step(ledger);
  const std::string steps = ledger.log()->Take();
  ledger.StopLog();

  const std::chrono::nanoseconds shift = std::chrono::hours(-3);
  auto again = Ledger::Load(saved, shift);
  ASSERT_TRUE(again);
  ASSERT_TRUE(Replay(steps, shift, *again));
  ExpectSame(ledger, *again, driver.now().steady, shift);

  // And they continue alike.
  auto copy = Ledger::Load(saved, kNoShift);
  ASSERT_TRUE(Replay(steps, kNoShift, *copy));
  Driver twin = driver;
  for (int i = 0; i < 300; ++i) {
    driver.Step(ledger);
    twin.Step(*copy);
  }
  EXPECT_EQ(driver.total, twin.total);
  ExpectSame(ledger, *copy, driver.now().steady, kNoShift);
}

TEST_P(LedgerTest, NeitherCutsNorDamageAreMoreThanRefused) {
  for (int i = 0; i < 200; ++i) driver.Step(ledger);
  std::string saved;
  ledger.Save(saved);
  ledger.StartLog([] {});
  for (int i = 0; i < 100; ++i) driver.Step(ledger);
  const std::string steps = ledger.log()->Take();
  std::mt19937 random(GetParam());
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(Ledger::Load(saved.substr(0, random() % saved.size()), {}));
    std::string damaged = saved;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    Ledger::Load(damaged, {});  // may succeed, but must not crash
    std::string wrong = steps;
    wrong[random() % wrong.size()] = static_cast<char>(random());
    auto copy = Ledger::Load(saved, {});
    Replay(wrong, {}, *copy);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerTest, ::testing::Range(1U, 6U));

TEST(LedgerLogTest, DropsStepsThatAreNotTakenAndReportsIt) {
  int woken = 0;
  Ledger ledger(SmallOptions(), Hasher());
  ledger.StartLog([&woken] { ++woken; });
  Driver driver(1);
  while (!ledger.log()->overflowed()) driver.Step(ledger);
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(ledger.log()->size(), 0U);
  driver.Step(ledger);
  EXPECT_EQ(ledger.log()->size(), 0U);
  ledger.log()->Restart();
  while (ledger.log()->size() == 0) driver.Step(ledger);
  EXPECT_FALSE(ledger.log()->overflowed());
}

TEST(LedgerTest, OptionsChangeWithoutALoss) {
  Ledger ledger(SmallOptions(), Hasher());
  Driver driver(3);
  for (int i = 0; i < 200; ++i) driver.Step(ledger);
  const std::string before = Shown(ledger, driver.now().steady);
  EXPECT_NE(before.find("_overflow"), std::string::npos);
  SeriesOptions roomy = SmallOptions();
  roomy.max_series = 1000;
  ledger.SetOptions(roomy);
  EXPECT_EQ(Shown(ledger, driver.now().steady), before);
  for (int i = 0; i < 50; ++i) driver.Step(ledger);
  EXPECT_GT(ledger.series().Counts().shown[0], 10U);
}

// A state of an earlier version can have times of a writer of 2099.
TEST(LedgerTest, SavedTimesOfTheFutureAreLimited) {
  const WallTime future{std::chrono::seconds(4'070'908'800)};
  const WallTime saved_at{std::chrono::seconds(1'795'435'200)};
  Ledger ledger(SmallOptions(), Hasher());
  Ledger::Collection& collection = ledger.FindCollection("");
  ledger.Commit(collection, {}, {100, future, false, false}, {}, {{}, future});
  SeriesLabels labels;
  labels.kind = "Node";
  labels.object_name = "worker";
  Sighting sighting;
  sighting.key = ledger.hash()("x");
  sighting.resource_version = 101;
  sighting.identity_time = sighting.occurred_at = future;
  sighting.series = ledger.Intern(labels);
  ledger.Observe(collection, sighting, {{}, future});
  std::string saved;
  ledger.Save(saved);

  const auto loaded = Ledger::Load(saved, kNoShift);
  ASSERT_TRUE(loaded);
  loaded->LimitTimes(saved_at);
  Ledger::Collection& again = loaded->FindCollection("");
  EXPECT_EQ(again.tracker.horizon(), saved_at);
  EXPECT_THAT(Shown(*loaded, {}), ::testing::HasSubstr("} 1795435200\n"));
  EXPECT_THAT(Shown(*loaded, {}),
              ::testing::Not(::testing::HasSubstr("4070908800")));
  // What began since counts in full.
  sighting.key = ledger.hash()("y");
  sighting.resource_version = 102;
  sighting.identity_time = saved_at;
  sighting.count = 3;
  EXPECT_EQ(loaded->Observe(again, sighting, {{}, saved_at}).delta, 3U);
}

TEST(LedgerTest, EventsOfAWatchThatIsNoMoreLeaveTheirSeries) {
  Ledger ledger(SmallOptions(), Hasher());
  ledger.FindCollection("");
  Ledger::Collection& shop = ledger.FindCollection("shop");
  SeriesLabels labels;
  labels.kind = "Pod";
  Sighting sighting;
  sighting.key = ledger.hash()("x");
  sighting.resource_version = 7;
  sighting.series = ledger.Intern(labels);
  const Moment now{SteadyTime(std::chrono::hours(1)), WallTime()};
  ledger.Observe(shop, sighting, now);
  const SteadyTime later = now.steady + std::chrono::minutes(1);
  EXPECT_NE(Shown(ledger, later).find("kube_event_active"), std::string::npos);
  ledger.KeepCollections({"", "other"});
  const std::string shown = Shown(ledger, later);
  EXPECT_NE(shown.find("reporting_component=\"\"} 0\n"), std::string::npos);
  EXPECT_NE(shown.find("reporting_component=\"\"} 1\n"), std::string::npos);
  EXPECT_EQ(ledger.CollectionAt(1), nullptr);
  EXPECT_EQ(ledger.FindCollection("other").number, 1U);
}

}  // namespace
}  // namespace kem

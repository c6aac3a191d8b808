#include "state/ledger.h"

#include <gmock/gmock.h>

#include "state/ledger_log.h"
#include "unit/state/ledger_fixture.h"

namespace kem {
namespace {

class LedgerTest : public ::testing::TestWithParam<unsigned> {
 protected:
  LedgerTest() {
    // A collection is added by its first Step or by Resume, not by a step.
    for (const char* name : {"", "shop"}) ledger.FindCollection(name);
  }

  Ledger ledger{SmallOptions(), Hasher()};
  Driver driver{GetParam()};
};

TEST_P(LedgerTest, StepsTakenAgainLeadToTheSame) {
  for (int i = 0; i < 300; ++i) driver.Step(ledger);
  const std::string saved = Saved(ledger);
  ledger.StartLog([] {});
  for (int i = 0; i < 500; ++i) driver.Step(ledger);
  const std::string steps = ledger.log()->Take();
  ledger.StopLog();

  auto again = Loaded(saved);
  ASSERT_TRUE(again);
  ASSERT_TRUE(Replay(steps, *again));
  EXPECT_EQ(Saved(*again), Saved(ledger));

  // And they continue alike.
  Driver twin = driver;
  for (int i = 0; i < 300; ++i) {
    driver.Step(ledger);
    twin.Step(*again);
  }
  EXPECT_EQ(driver.total, twin.total);
  EXPECT_EQ(Saved(*again), Saved(ledger));
}

// The model: steps go on between the pieces of a save, of any size. What is
// loaded is the state at its begin, and the steps since lead to the present.
TEST_P(LedgerTest, ASaveInPiecesIsOfOneMoment) {
  std::mt19937 random(GetParam());
  driver.rarely_sets_sinks = true;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 50; ++i) driver.Step(ledger);
    const std::string then = Saved(ledger);
    ledger.StartLog([] {});
    std::vector<std::string> texts = {ledger.BeginSave()};
    while (true) {
      for (auto i = random() % 20; i > 0; --i) driver.Step(ledger);
      std::string piece;
      ledger.SavePiece(8 + random() % 2000, piece);
      if (piece.empty()) break;
      texts.push_back(std::move(piece));
    }
    const bool gave_up = ledger.save_gave_up();
    const Leftovers left = ledger.EndSave();
    const std::string steps = ledger.log()->Take();
    ledger.StopLog();
    if (gave_up) continue;  // the sinks changed
    auto loaded = Loaded(Joined(texts));
    ASSERT_TRUE(loaded);
    ASSERT_EQ(Saved(*loaded), then) << round;
    ASSERT_TRUE(Replay(steps, *loaded));
    ASSERT_EQ(Saved(*loaded), Saved(ledger)) << round;
  }
}

// A restart is a step like the others: times move to the other machine's steady
// clock, options change, and a collection is no longer watched.
TEST_P(LedgerTest, ARestartIsReplayedAsItWas) {
  for (int i = 0; i < 300; ++i) driver.Step(ledger);
  const std::string saved = Saved(ledger);
  auto second = Loaded(saved);
  ASSERT_TRUE(second);
  second->StartLog([] {});
  Moment now = driver.now();
  now.wall += std::chrono::minutes(10);
  now.steady -= std::chrono::hours(3);
  const std::chrono::nanoseconds shift = second->ShiftUntil(now);
  EXPECT_EQ(shift, -std::chrono::hours(3) - std::chrono::minutes(10));
  SeriesOptions roomy = SmallOptions();
  roomy.max_series = 9;
  second->Resume(roomy, {"", "other"}, shift, now);
  EXPECT_EQ(second->CollectionAt(1)->name, "other");
  driver.second = "other";
  for (int i = 0; i < 300; ++i) driver.Step(*second);
  auto third = Loaded(saved);
  ASSERT_TRUE(Replay(second->log()->Take(), *third));
  EXPECT_EQ(Saved(*third), Saved(*second));
}

TEST_P(LedgerTest, NeitherCutsNorDamageAreMoreThanRefused) {
  for (int i = 0; i < 200; ++i) driver.Step(ledger);
  const std::string saved = Saved(ledger);
  ledger.StartLog([] {});
  for (int i = 0; i < 100; ++i) driver.Step(ledger);
  const std::string steps = ledger.log()->Take();
  std::mt19937 random(GetParam());
  for (int i = 0; i < 200; ++i) {
    EXPECT_FALSE(Loaded(saved.substr(0, random() % saved.size())));
    std::string damaged = saved;
    damaged[random() % damaged.size()] = static_cast<char>(random());
    Loaded(damaged);  // may succeed, but must not crash
    std::string wrong = steps;
    wrong[random() % wrong.size()] = static_cast<char>(random());
    auto copy = Loaded(saved);
    Replay(wrong, *copy);
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
  ledger.Resume(roomy, {"", "shop"}, {}, driver.now());
  EXPECT_EQ(Shown(ledger, driver.now().steady), before);
  for (int i = 0; i < 50; ++i) driver.Step(ledger);
  EXPECT_GT(ledger.series().Counts().shown[0], 10U);
}

// A clock that was ahead left times of 2099.
TEST(LedgerTest, SavedTimesOfTheFutureAreLimited) {
  const WallTime future{std::chrono::seconds(4'070'908'800)};
  const WallTime now{std::chrono::seconds(1'795'435'200)};
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

  ledger.Resume(SmallOptions(), {""}, {}, {{}, now});
  Ledger::Collection& again = ledger.FindCollection("");
  EXPECT_EQ(again.tracker.horizon(), now + kMaxAhead);
  EXPECT_THAT(Shown(ledger, {}), ::testing::HasSubstr("} 1795435260\n"));
  EXPECT_THAT(Shown(ledger, {}),
              ::testing::Not(::testing::HasSubstr("4070908800")));
  // What began since counts in full.
  sighting.key = ledger.hash()("y");
  sighting.resource_version = 102;
  sighting.identity_time = now + kMaxAhead;
  sighting.count = 3;
  EXPECT_EQ(ledger.Observe(again, sighting, {{}, now}).delta, 3U);
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
  ledger.Resume(SmallOptions(), {"", "other"}, {}, now);
  const std::string shown = Shown(ledger, later);
  EXPECT_NE(shown.find("reporting_component=\"\"} 0\n"), std::string::npos);
  EXPECT_NE(shown.find("reporting_component=\"\"} 1\n"), std::string::npos);
  EXPECT_EQ(ledger.CollectionAt(1)->name, "other");
  EXPECT_EQ(ledger.CollectionAt(2), nullptr);
}

}  // namespace
}  // namespace kem

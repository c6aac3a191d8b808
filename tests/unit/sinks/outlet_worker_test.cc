// What becomes of what waits: in order, in batches, until the sink has it.
#include "sinks/outlet_worker.h"

#include <gmock/gmock.h>

#include <deque>

#include "testing/fake_clock.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using Next = OutletWorker::Next;

// Answers as it is told to; takes everything where it is told nothing.
class FakeOutlet : public Outlet {
 public:
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token&) override {
    for (const Occurrence& one : batch) seen.emplace_back(one.object_name);
    if (answers.empty()) return {.done = batch.size()};
    Delivery answer = answers.front();
    answers.pop_front();
    return answer;
  }
  size_t max_batch() const override { return 2; }
  void Idle(const std::stop_token&) override { on_idle(); }

  std::function<void()> on_idle = [] {};
  std::deque<Delivery> answers;
  std::vector<std::string> seen;
};

class OutletWorkerTest : public ::testing::Test {
 protected:
  OutletWorkerTest() {
    ledger.SetOutlets({{"log", 100, 100'000}});
    worker.emplace(ledger, 0, outlet, stats,
                   OutletWorker::Environment{clock, [] { return 0.5; }, bell,
                                             [this] { ++flushes; }});
    for (const char* name : {"a", "b", "c"}) {
      Occurrence occurrence;
      occurrence.object_name = name;
      ledger.Offer(1, EncodeOccurrence(occurrence));
    }
  }
  OutletWorker::Step PassOn() { return worker->PassOn(stop.get_token()); }
  size_t Waiting() { return ledger.outbox().size(0).entries; }

  FakeClock clock;
  OutletBell bell;
  int flushes = 0;
  Ledger ledger{SeriesOptions(), Hasher()};
  FakeOutlet outlet;
  OutletStats stats;
  std::stop_source stop;
  std::optional<OutletWorker> worker;
};

TEST_F(OutletWorkerTest, BatchesInOrderUntilNothingIsLeft) {
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_EQ(PassOn().next, Next::kIdle);
  EXPECT_THAT(outlet.seen, ElementsAre("a", "b", "c"));
  EXPECT_EQ(stats.delivered, 3U);
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(OutletWorkerTest, WhatFailsIsTriedAgainAfterABackOff) {
  outlet.answers = {{.problem = "down"}, {.problem = "down"}};
  const OutletWorker::Step first = PassOn();
  EXPECT_EQ(first.next, Next::kRetry);
  EXPECT_EQ(first.wait, milliseconds(1200));
  EXPECT_EQ(PassOn().wait, milliseconds(2400));
  EXPECT_EQ(Waiting(), 3U);
  EXPECT_EQ(stats.failed_attempts, 2U);
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_THAT(outlet.seen, ElementsAre("a", "b", "a", "b", "a", "b"));
  EXPECT_EQ(stats.delivered, 2U);
}

TEST_F(OutletWorkerTest, OnlyTheRestIsTriedAgain) {
  outlet.answers = {{.done = 1, .problem = "cut"}};
  EXPECT_EQ(PassOn().next, Next::kRetry);
  PassOn();
  EXPECT_THAT(outlet.seen, ElementsAre("a", "b", "b", "c"));
  EXPECT_EQ(stats.delivered, 3U);
}

TEST_F(OutletWorkerTest, WhatIsHeldIsNoFailureAndIsAskedAboutEachSecond) {
  outlet.answers = {{.hold = milliseconds(300)},
                    {.done = 1, .hold = seconds(50)}};
  const OutletWorker::Step first = PassOn();
  EXPECT_EQ(first.next, Next::kHold);
  EXPECT_EQ(first.wait, milliseconds(300));
  EXPECT_EQ(PassOn().wait, seconds(1));
  EXPECT_EQ(Waiting(), 2U);
  EXPECT_EQ(stats.failed_attempts, 0U);
  EXPECT_EQ(stats.retries, 0U);
}

TEST_F(OutletWorkerTest, WhatIsHeldBehindWhatWasRefusedIsNoFailure) {
  outlet.answers = {{.done = 1,
                     .refused = 1,
                     .problem = "a policy",
                     .hold = milliseconds(300)}};
  EXPECT_EQ(PassOn().next, Next::kHold);
  EXPECT_EQ(stats.refused, 1U);
  EXPECT_EQ(stats.failed_attempts, 0U);
}

TEST_F(OutletWorkerTest, CountsWhatIsTriedAgain) {
  outlet.answers = {{.problem = "down"}, {.problem = "down"}};
  PassOn();
  EXPECT_EQ(stats.retries, 0U);
  PassOn();
  PassOn();
  PassOn();
  EXPECT_EQ(stats.retries, 2U);
}

TEST_F(OutletWorkerTest, WaitsAsLongAsTheSinkWants) {
  outlet.answers = {{.problem = "busy", .retry_after = seconds(40)},
                    {.problem = "busy", .retry_after = seconds(2'147'483'647)}};
  EXPECT_EQ(PassOn().wait, seconds(40));
  EXPECT_EQ(PassOn().wait, std::chrono::hours(1));
}

TEST_F(OutletWorkerTest, WhatIsAcknowledgedIsKeptAtOnce) {
  outlet.answers = {{.problem = "down"}, {.done = 1, .problem = "cut"}};
  PassOn();
  EXPECT_EQ(flushes, 0);
  PassOn();
  EXPECT_EQ(flushes, 1);
}

TEST_F(OutletWorkerTest, WhatIsRefusedIsGivenUpAndCounted) {
  outlet.answers = {{.done = 2, .refused = 1, .problem = "no such object"}};
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_EQ(stats.delivered, 1U);
  EXPECT_EQ(stats.refused, 1U);
  EXPECT_EQ(Waiting(), 1U);
}

TEST_F(OutletWorkerTest, RunEndsWithWhatWaitsStillThere) {
  outlet.answers = {{.problem = "down"}};
  stop.request_stop();
  worker->Run(stop.get_token());
  EXPECT_EQ(Waiting(), 3U);
}

TEST_F(OutletWorkerTest, WhatFallsDueIsDoneWhileAttemptsFail) {
  outlet.answers = {{.problem = "down"}, {.hold = seconds(0)}};
  std::vector<size_t> waiting;
  outlet.on_idle = [&] {
    waiting.push_back(Waiting());
    if (waiting.size() == 3) stop.request_stop();
  };
  worker->Run(stop.get_token());
  EXPECT_THAT(waiting, ElementsAre(3U, 3U, 0U));
  EXPECT_THAT(clock.sleeps, ElementsAre(milliseconds(1200), milliseconds(0)));
}

TEST(OutletBellTest, ARingBeforeTheWaitIsHeard) {
  OutletBell bell;
  const std::stop_source stop;
  bell.Ring();
  EXPECT_EQ(bell.Wait(0, std::chrono::hours(1), stop.get_token()), 1U);
}

}  // namespace
}  // namespace kem

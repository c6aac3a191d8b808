// What becomes of what waits: in order, in batches, until the receiver has it.
#include "sinks/sink_worker.h"

#include <gmock/gmock.h>

#include <deque>

#include "testing/fake_clock.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using Next = SinkWorker::Next;

// Answers as it is told to; takes everything where it is told nothing.
class FakeSink : public Sink {
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

class SinkWorkerTest : public ::testing::Test {
 protected:
  SinkWorkerTest() {
    ledger.SetSinks({{"log", 100, 100'000}});
    worker.emplace(ledger, 0, sink, stats,
                   SinkWorker::Environment{clock, [] { return 0.5; }, bell,
                                           [this] { ++flushes; }});
    for (const char* name : {"a", "b", "c"}) {
      Occurrence occurrence;
      occurrence.object_name = name;
      ledger.Offer(1, EncodeOccurrence(occurrence));
    }
  }
  SinkWorker::Step PassOn() { return worker->PassOn(stop.get_token()); }
  size_t Waiting() { return ledger.outbox().size(0).entries; }

  FakeClock clock;
  SinkBell bell;
  int flushes = 0;
  Ledger ledger{SeriesOptions(), Hasher()};
  FakeSink sink;
  SinkStats stats;
  std::stop_source stop;
  std::optional<SinkWorker> worker;
};

TEST_F(SinkWorkerTest, BatchesInOrderUntilNothingIsLeft) {
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_EQ(PassOn().next, Next::kIdle);
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "c"));
  EXPECT_EQ(stats.delivered, 3U);
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(SinkWorkerTest, WhatFailsIsTriedAgainAfterABackOff) {
  sink.answers = {{.problem = "down"}, {.problem = "down"}};
  const SinkWorker::Step first = PassOn();
  EXPECT_EQ(first.next, Next::kRetry);
  EXPECT_EQ(first.wait, milliseconds(1200));
  EXPECT_EQ(PassOn().wait, milliseconds(2400));
  EXPECT_EQ(Waiting(), 3U);
  EXPECT_EQ(stats.failed_attempts, 2U);
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "a", "b", "a", "b"));
  EXPECT_EQ(stats.delivered, 2U);
}

TEST_F(SinkWorkerTest, OnlyTheRestIsTriedAgain) {
  sink.answers = {{.done = 1, .problem = "cut"}};
  EXPECT_EQ(PassOn().next, Next::kRetry);
  PassOn();
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "b", "c"));
  EXPECT_EQ(stats.delivered, 3U);
}

TEST_F(SinkWorkerTest, WhatIsHeldIsNoFailureAndIsAskedAboutEachSecond) {
  sink.answers = {{.hold = milliseconds(300)},
                  {.done = 1, .hold = seconds(50)}};
  const SinkWorker::Step first = PassOn();
  EXPECT_EQ(first.next, Next::kHold);
  EXPECT_EQ(first.wait, milliseconds(300));
  EXPECT_EQ(PassOn().wait, seconds(1));
  EXPECT_EQ(Waiting(), 2U);
  EXPECT_EQ(stats.failed_attempts, 0U);
  EXPECT_EQ(stats.retries, 0U);
}

TEST_F(SinkWorkerTest, WhatIsHeldBehindWhatWasRefusedIsNoFailure) {
  sink.answers = {{.done = 1,
                   .refused = 1,
                   .problem = "a policy",
                   .hold = milliseconds(300)}};
  EXPECT_EQ(PassOn().next, Next::kHold);
  EXPECT_EQ(stats.refused, 1U);
  EXPECT_EQ(stats.failed_attempts, 0U);
}

TEST_F(SinkWorkerTest, CountsWhatIsTriedAgain) {
  sink.answers = {{.problem = "down"}, {.problem = "down"}};
  PassOn();
  EXPECT_EQ(stats.retries, 0U);
  PassOn();
  PassOn();
  PassOn();
  EXPECT_EQ(stats.retries, 2U);
}

TEST_F(SinkWorkerTest, WaitsAsLongAsTheSinkWants) {
  sink.answers = {{.problem = "busy", .retry_after = seconds(40)},
                  {.problem = "busy", .retry_after = seconds(2'147'483'647)}};
  EXPECT_EQ(PassOn().wait, seconds(40));
  EXPECT_EQ(PassOn().wait, std::chrono::hours(1));
}

TEST_F(SinkWorkerTest, WhatIsAcknowledgedIsKeptAtOnce) {
  sink.answers = {{.problem = "down"}, {.done = 1, .problem = "cut"}};
  PassOn();
  EXPECT_EQ(flushes, 0);
  PassOn();
  EXPECT_EQ(flushes, 1);
}

TEST_F(SinkWorkerTest, WhatIsRefusedIsGivenUpAndCounted) {
  sink.answers = {{.done = 2, .refused = 1, .problem = "no such object"}};
  EXPECT_EQ(PassOn().next, Next::kMore);
  EXPECT_EQ(stats.delivered, 1U);
  EXPECT_EQ(stats.refused, 1U);
  EXPECT_EQ(Waiting(), 1U);
}

TEST_F(SinkWorkerTest, RunEndsWithWhatWaitsStillThere) {
  sink.answers = {{.problem = "down"}};
  stop.request_stop();
  worker->Run(stop.get_token());
  EXPECT_EQ(Waiting(), 3U);
}

TEST_F(SinkWorkerTest, WhatFallsDueIsDoneWhileAttemptsFail) {
  sink.answers = {{.problem = "down"}, {.hold = seconds(0)}};
  std::vector<size_t> waiting;
  sink.on_idle = [&] {
    waiting.push_back(Waiting());
    if (waiting.size() == 3) stop.request_stop();
  };
  worker->Run(stop.get_token());
  EXPECT_THAT(waiting, ElementsAre(3U, 3U, 0U));
  EXPECT_THAT(clock.sleeps, ElementsAre(milliseconds(1200), milliseconds(0)));
}

TEST(SinkBellTest, ARingBeforeTheWaitIsHeard) {
  SinkBell bell;
  const std::stop_source stop;
  bell.Ring();
  EXPECT_EQ(bell.Wait(0, std::chrono::hours(1), stop.get_token()), 1U);
}

}  // namespace
}  // namespace kem

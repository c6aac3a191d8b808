// Delivery of a queue: in order, in batches, with back-off.
#include "sinks/sink_worker.h"

#include <gmock/gmock.h>

#include <deque>

#include "testing/entry.h"
#include "testing/fake_clock.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using Next = SinkWorker::Next;

// Returns `answers` in order, then accepts everything.
class ScriptedSink : public Sink {
 public:
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token&) override {
    for (const Occurrence& one : batch) seen.emplace_back(one.object_name);
    on_deliver();
    if (answers.empty()) return {.done = batch.size()};
    Delivery answer = answers.front();
    answers.pop_front();
    return answer;
  }
  size_t max_batch() const override { return 2; }
  void Idle(const std::stop_token&) override { on_idle(); }

  std::function<void()> on_deliver = [] {};
  std::function<void()> on_idle = [] {};
  std::deque<Delivery> answers;
  std::vector<std::string> seen;
};

class SinkWorkerTest : public ::testing::Test {
 protected:
  SinkWorkerTest() {
    ledger.SetSinks({{"log", 100, 100'000}});
    worker.emplace(ledger, "log", seconds(0), sink, stats,
                   SinkWorker::Environment{clock, [] { return 0.5; }, signal,
                                           [this] { ++flushes; }});
    for (const char* name : {"a", "b", "c"}) {
      Occurrence occurrence;
      occurrence.object_name = name;
      ledger.Offer(1, EntryOf(occurrence));
    }
  }
  SinkWorker::Step Deliver() { return worker->DeliverBatch(stop.get_token()); }
  size_t Waiting() { return ledger.outbox().size(0).entries; }

  FakeClock clock;
  SinkSignal signal;
  int flushes = 0;
  Ledger ledger{SeriesOptions(), Hasher()};
  ScriptedSink sink;
  SinkStats stats;
  std::stop_source stop;
  std::optional<SinkWorker> worker;
};

TEST_F(SinkWorkerTest, BatchesInOrderUntilNothingIsLeft) {
  EXPECT_EQ(Deliver().next, Next::kMore);
  EXPECT_EQ(Deliver().next, Next::kMore);
  EXPECT_EQ(Deliver().next, Next::kIdle);
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "c"));
  EXPECT_EQ(stats.delivered, 3U);
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(SinkWorkerTest, AReloadDuringADeliveryMovesTheQueue) {
  sink.on_deliver = [this] {
    ledger.SetSinks({{"new", 100, 100'000}, {"log", 100, 100'000}});
    ledger.Offer(1, EntryOf(Occurrence()));
  };
  EXPECT_EQ(Deliver().next, Next::kMore);
  EXPECT_EQ(ledger.outbox().size(0).entries, 1U);
  EXPECT_EQ(ledger.outbox().size(1).entries, 1U);
}

TEST_F(SinkWorkerTest, AReloadDuringADeliveryDeletesTheQueue) {
  sink.on_deliver = [this] { ledger.SetSinks({{"new", 100, 100'000}}); };
  EXPECT_EQ(Deliver().next, Next::kMore);
  EXPECT_EQ(Deliver().next, Next::kIdle);
  EXPECT_THAT(sink.seen, ElementsAre("a", "b"));
}

TEST_F(SinkWorkerTest, RetriesAFailureAfterABackOff) {
  sink.answers = {Failed("down"), Failed("down")};
  const SinkWorker::Step first = Deliver();
  EXPECT_EQ(first.next, Next::kRetry);
  EXPECT_EQ(first.wait, milliseconds(1200));
  EXPECT_EQ(Deliver().wait, milliseconds(2400));
  EXPECT_EQ(Waiting(), 3U);
  EXPECT_EQ(stats.failed_attempts, 2U);
  EXPECT_EQ(Deliver().next, Next::kMore);
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "a", "b", "a", "b"));
  EXPECT_EQ(stats.delivered, 2U);
}

TEST_F(SinkWorkerTest, RetriesOnlyTheRest) {
  sink.answers = {Failed("cut", 1)};
  EXPECT_EQ(Deliver().next, Next::kRetry);
  Deliver();
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "b", "c"));
  EXPECT_EQ(stats.delivered, 3U);
}

TEST_F(SinkWorkerTest, AHoldIsNoFailureAndLastsASecondAtMost) {
  sink.answers = {Held(milliseconds(300)), Held(seconds(50), 1)};
  const SinkWorker::Step first = Deliver();
  EXPECT_EQ(first.next, Next::kHold);
  EXPECT_EQ(first.wait, milliseconds(300));
  EXPECT_EQ(Deliver().wait, seconds(1));
  EXPECT_EQ(Waiting(), 2U);
  EXPECT_EQ(stats.failed_attempts, 0U);
  EXPECT_EQ(stats.retries, 0U);
}

TEST_F(SinkWorkerTest, AHoldAfterARefusalIsNoFailure) {
  sink.answers = {{.done = 1,
                   .refused = 1,
                   .refusal = "a policy",
                   .rest = Delivery::Hold{milliseconds(300)}}};
  EXPECT_EQ(Deliver().next, Next::kHold);
  EXPECT_EQ(stats.refused, 1U);
  EXPECT_EQ(stats.failed_attempts, 0U);
}

TEST_F(SinkWorkerTest, CountsRetries) {
  sink.answers = {Failed("down"), Failed("down")};
  Deliver();
  EXPECT_EQ(stats.retries, 0U);
  Deliver();
  Deliver();
  Deliver();
  EXPECT_EQ(stats.retries, 2U);
}

TEST_F(SinkWorkerTest, FollowsRetryAfterForAnHourAtMost) {
  sink.answers = {Failed("busy", 0, seconds(40)),
                  Failed("busy", 0, seconds(2'147'483'647))};
  EXPECT_EQ(Deliver().wait, seconds(40));
  EXPECT_EQ(Deliver().wait, std::chrono::hours(1));
}

TEST_F(SinkWorkerTest, FlushesAnAcknowledgement) {
  sink.answers = {Failed("down"), Failed("cut", 1)};
  Deliver();
  EXPECT_EQ(flushes, 0);
  Deliver();
  EXPECT_EQ(flushes, 1);
}

TEST_F(SinkWorkerTest, CountsARefusalAndGoesOn) {
  sink.answers = {{.done = 2, .refused = 1, .refusal = "no such object"}};
  EXPECT_EQ(Deliver().next, Next::kMore);
  EXPECT_EQ(stats.delivered, 1U);
  EXPECT_EQ(stats.refused, 1U);
  EXPECT_EQ(Waiting(), 1U);
}

TEST_F(SinkWorkerTest, RunEndsAndKeepsTheQueue) {
  sink.answers = {Failed("down")};
  stop.request_stop();
  worker->Run(stop.get_token(), stop.get_token());
  EXPECT_EQ(Waiting(), 3U);
  EXPECT_EQ(sink.answers.size(), 1U);
}

TEST_F(SinkWorkerTest, BeforeItEndsItDeliversWhatWaits) {
  std::stop_source finish;
  finish.request_stop();
  worker->Run(finish.get_token(), stop.get_token());
  EXPECT_THAT(sink.seen, ElementsAre("a", "b", "c"));
  EXPECT_EQ(Waiting(), 0U);
}

TEST_F(SinkWorkerTest, AFailureEndsTheLastDeliveriesToo) {
  std::stop_source finish;
  finish.request_stop();
  sink.answers = {{.done = 2}, Failed("down")};
  worker->Run(finish.get_token(), stop.get_token());
  EXPECT_EQ(Waiting(), 1U);
  EXPECT_EQ(stats.failed_attempts, 1U);
}

TEST_F(SinkWorkerTest, AFailureBeforeTheEndIsNotRepeated) {
  std::stop_source finish;
  sink.answers = {Failed("down")};
  sink.on_idle = [&] { finish.request_stop(); };
  worker->Run(finish.get_token(), stop.get_token());
  EXPECT_EQ(Waiting(), 3U);
}

TEST_F(SinkWorkerTest, CallsIdleWhileAttemptsFail) {
  sink.answers = {Failed("down"), Held(seconds(0))};
  std::vector<size_t> waiting;
  sink.on_idle = [&] {
    waiting.push_back(Waiting());
    if (waiting.size() == 3) stop.request_stop();
  };
  worker->Run(stop.get_token(), stop.get_token());
  EXPECT_THAT(waiting, ElementsAre(3U, 3U, 0U));
  EXPECT_THAT(clock.sleeps, ElementsAre(milliseconds(1200), milliseconds(0)));
}

TEST(SinkSignalTest, ANotificationBeforeTheWaitIsSeen) {
  SinkSignal signal;
  const std::stop_source stop;
  signal.Notify();
  EXPECT_EQ(signal.Wait(0, std::chrono::hours(1), stop.get_token()), 1U);
}

}  // namespace
}  // namespace kem

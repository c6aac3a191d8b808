// Delivery with other replicas, and in windows: nothing twice, nothing lost.
#include <gmock/gmock.h>

#include <algorithm>

#include "sinks/sink_worker.h"
#include "testing/entry.h"
#include "testing/fake_clock.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Next = SinkWorker::Next;

// Notes "uid:delta@version", unless it fails.
class NotingSink : public Sink {
 public:
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override {
    on_deliver();
    if (stop.stop_requested()) return {};
    if (fails) return Failed("down");
    for (const Occurrence& one : batch) {
      seen.push_back(std::string(one.uid) + ":" + std::to_string(one.delta) +
                     "@" + std::to_string(one.resource_version));
    }
    return {.done = batch.size()};
  }
  size_t max_batch() const override { return 2; }
  void Idle(const std::stop_token&) override { on_idle(); }

  std::function<void()> on_idle = [] {};
  std::function<void()> on_deliver = [] {};
  bool fails = false;
  std::vector<std::string> seen;
};

class FakeTurn : public DeliveryTurn {
 public:
  State Of(const std::string&) override {
    on_ask();
    return state;
  }
  bool Publish(uint64_t turn, const std::string& sink, const DeliveryMark& mark,
               const std::stop_token&) override {
    if (turn != state.turn || refuses) return false;
    EXPECT_EQ(sink, "log");
    published = MarkText(mark);
    state.delivered = mark;
    return true;
  }

  State state;
  std::function<void()> on_ask = [] {};
  bool refuses = false;
  std::string published;
};

class SinkTurnTest : public ::testing::Test {
 protected:
  // Of a replica, whose queue is in `ledger`.
  struct Replica {
    Replica(SinkTurnTest& test, seconds window)
        : worker(ledger, "log", window, sink, stats,
                 {test.clock, [] { return 0.5; }, test.signal, [] {},
                  &test.turn}) {
      ledger.SetSinks({{"log", 100, 100'000, window.count() > 0}});
    }
    void Offer(std::string_view uid, uint64_t version) {
      Occurrence occurrence;
      occurrence.uid = uid;
      occurrence.resource_version = version;
      ledger.Offer(1, EntryOf(occurrence));
    }
    // The watch lists after a restore of etcd.
    void Restore(uint64_t version) {
      ListCommit commit;
      commit.resource_version = version;
      commit.new_epoch = true;
      ledger.Commit(ledger.FindCollection(""), {}, commit, {}, {});
    }
    size_t waiting() { return ledger.outbox().size(0).entries; }

    Ledger ledger{SeriesOptions(), Hasher()};
    NotingSink sink;
    SinkStats stats;
    SinkWorker worker;
  };

  void Begin(uint64_t number) { turn.state.turn = number; }

  FakeClock clock;
  SinkSignal signal;
  FakeTurn turn;
  std::stop_source stop;
};

TEST_F(SinkTurnTest, DeliversOnlyInItsTurn) {
  Replica replica(*this, seconds(0));
  replica.Offer("a", 10);
  const SinkWorker::Step step = replica.worker.DeliverBatch({});
  EXPECT_EQ(step.next, Next::kHold);
  EXPECT_EQ(step.wait, seconds(1));
  EXPECT_THAT(replica.sink.seen, IsEmpty());
  Begin(1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@10"));
  EXPECT_EQ(turn.published, R"({"delivered":{"":10}})");
}

TEST_F(SinkTurnTest, DropsWhatAnotherHasDelivered) {
  Replica replica(*this, seconds(0));
  for (uint64_t version = 1; version <= 7; ++version) {
    replica.Offer("a", version);
  }
  turn.state.delivered.whole[""] = 5;
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kHold);
  EXPECT_EQ(replica.waiting(), 2U);
  Begin(1);
  replica.worker.DeliverBatch({});
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@6", "a:1@7"));
  EXPECT_EQ(replica.stats.delivered, 2U);
}

TEST_F(SinkTurnTest, ATurnBeginsWithWhatWasPublishedLast) {
  Replica replica(*this, seconds(0));
  replica.Offer("a", 5);
  replica.Offer("a", 6);
  turn.state.delivered.whole[""] = 5;
  Begin(1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@6"));
  // Others have delivered what this watch brings later.
  replica.Offer("a", 4);
  clock.Advance(seconds(1));
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@6"));
  EXPECT_EQ(replica.waiting(), 0U);
}

TEST_F(SinkTurnTest, ARestoredEtcdBeginsAgainWithLowerVersions) {
  Replica replica(*this, seconds(0));
  turn.state.delivered.whole[""] = 900;
  replica.Restore(850);
  replica.Offer("a", 851);
  replica.worker.DeliverBatch({});
  EXPECT_EQ(replica.waiting(), 1U);
  Begin(1);
  replica.worker.DeliverBatch({});
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@851"));
  EXPECT_EQ(turn.published, R"({"delivered":{"":851}})");
}

TEST_F(SinkTurnTest, ARestoreDuringATurn) {
  Replica replica(*this, seconds(0));
  turn.state.delivered.whole[""] = 900;
  Begin(1);
  replica.Restore(850);
  replica.Offer("a", 851);
  replica.worker.DeliverBatch({});
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@851"));
}

TEST_F(SinkTurnTest, AFullBatchIsFollowedAtOnceAnotherAfterASecond) {
  Replica replica(*this, seconds(0));
  for (uint64_t version = 1; version <= 3; ++version) {
    replica.Offer("a", version);
  }
  Begin(1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  replica.Offer("a", 4);
  clock.Advance(milliseconds(300));
  const SinkWorker::Step step = replica.worker.DeliverBatch({});
  EXPECT_EQ(step.next, Next::kHold);
  EXPECT_EQ(step.wait, milliseconds(700));
  EXPECT_EQ(replica.waiting(), 1U);
}

TEST_F(SinkTurnTest, TheEndOfATurnEndsTheDelivery) {
  Replica replica(*this, seconds(0));
  std::stop_source over;
  turn.state.over = over.get_token();
  Begin(1);
  replica.Offer("a", 1);
  replica.sink.on_deliver = [&] { over.request_stop(); };
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kRetry);
  EXPECT_EQ(replica.waiting(), 1U);
  EXPECT_EQ(replica.stats.failed_attempts, 0U);
  EXPECT_EQ(turn.published, "");
}

TEST_F(SinkTurnTest, WhatCouldNotBePublishedIsNotDeliveredAgain) {
  Replica replica(*this, seconds(0));
  Begin(1);
  turn.refuses = true;
  replica.Offer("a", 1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kRetry);
  EXPECT_EQ(replica.waiting(), 0U);
  EXPECT_EQ(replica.stats.delivered, 1U);
}

TEST_F(SinkTurnTest, ByNamespaceWhereEachHasAWatch) {
  Replica replica(*this, seconds(0));
  SinkWorker worker(replica.ledger, "log", seconds(0), replica.sink,
                    replica.stats,
                    {clock, [] { return 0.5; }, signal, [] {}, &turn, true});
  Occurrence occurrence;
  occurrence.event_namespace = "shop";
  occurrence.resource_version = 9;
  replica.ledger.Offer(1, EntryOf(occurrence));
  Begin(1);
  worker.DeliverBatch({});
  EXPECT_EQ(turn.published, R"({"delivered":{"shop":9}})");
}

TEST_F(SinkTurnTest, AStopDeliversWhatWaitsInItsTurnOnly) {
  Replica replica(*this, minutes(10));
  replica.Offer("a", 1);
  replica.Offer("a", 2);
  std::stop_source finish;
  finish.request_stop();
  replica.worker.Run(finish.get_token(), {});
  EXPECT_THAT(replica.sink.seen, IsEmpty());
  Begin(1);
  replica.worker.Run(finish.get_token(), {});
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:2@2"));
  EXPECT_EQ(turn.published, R"({"delivered":{"":2}})");
}

TEST_F(SinkTurnTest, AWindowEndsByTheClock) {
  clock.SetWall(WallTime(minutes(60)));
  Begin(1);
  Replica replica(*this, minutes(10));
  replica.worker.DeliverBatch({});
  replica.Offer("a", 1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kIdle);
  clock.Advance(minutes(9));
  replica.Offer("a", 2);
  replica.Offer("b", 3);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kIdle);
  clock.Advance(minutes(1));
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:2@2", "b:1@3"));
  replica.Offer("a", 4);
  clock.Advance(minutes(1));
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kIdle);
  clock.Advance(minutes(9));
  replica.worker.DeliverBatch({});
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:2@2", "b:1@3", "a:1@4"));
}

TEST_F(SinkTurnTest, AWindowAtATakeoverHasOnlyTheRest) {
  clock.SetWall(WallTime(minutes(60)));
  Replica replica(*this, minutes(10));
  replica.Offer("a", 1);
  replica.Offer("a", 2);
  turn.state.delivered.whole[""] = 1;
  Begin(1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kIdle);
  replica.Offer("a", 3);
  clock.Advance(minutes(10));
  replica.worker.DeliverBatch({});
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:2@3"));
}

TEST_F(SinkTurnTest, AnEventThatAReplicaHasInTwoWindowsIsNotLost) {
  clock.SetWall(WallTime(minutes(60)));
  Replica replica(*this, minutes(10));
  replica.Offer("y", 900);
  clock.Advance(minutes(10));
  replica.worker.DeliverBatch({});  // closes
  replica.Offer("y", 950);
  // The holder has both in one window, and has delivered another Event of it.
  turn.state.delivered = {.window = 970, .last = {{"", 920}}};
  replica.worker.DeliverBatch({});
  EXPECT_EQ(replica.waiting(), 2U);
  Begin(1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(replica.sink.seen, ElementsAre("y:1@900"));
}

TEST_F(SinkTurnTest, AWindowThatEndedWhileNoProcessRanIsDeliveredAtOnce) {
  clock.SetWall(WallTime(minutes(60)));
  Replica replica(*this, minutes(10));
  replica.Offer("a", 1);  // at 0:00
  Begin(1);
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kIdle);
  SinkWorker next(replica.ledger, "log", minutes(10), replica.sink,
                  replica.stats,
                  {clock, [] { return 0.5; }, signal, [] {}, &turn});
  EXPECT_EQ(next.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(replica.sink.seen, ElementsAre("a:1@1"));
}

TEST_F(SinkTurnTest, TheMarkOfAWindowFollowsWhatIsLeftOfIt) {
  clock.SetWall(WallTime(minutes(60)));
  Begin(1);
  Replica replica(*this, minutes(10));
  replica.sink.fails = true;
  replica.Offer("a", 1);
  clock.Advance(minutes(10));
  EXPECT_EQ(replica.worker.DeliverBatch({}).next, Next::kRetry);
  // It is dropped, and another window follows.
  replica.ledger.Acknowledge(0, replica.ledger.outbox().size(0).oldest->number);
  uint64_t version = 11;
  for (const char* uid : {"b", "c", "d"}) {
    replica.Offer(uid, version++);
  }
  replica.sink.fails = false;
  clock.Advance(minutes(10));
  replica.worker.DeliverBatch({});
  EXPECT_THAT(turn.published, ::testing::HasSubstr(R"("window":13)"));
}

TEST_F(SinkTurnTest, OnlyTheReplicaThatDeliversDoesWhatIsDue) {
  Replica replica(*this, seconds(0));
  int idle = 0;
  std::stop_source finish;
  replica.sink.on_idle = [&] {
    ++idle;
    finish.request_stop();
  };
  turn.on_ask = [&, asked = 0]() mutable {
    if (++asked == 3) Begin(1);
    if (turn.state.turn == 0) {
      EXPECT_EQ(idle, 0);
    }
  };
  replica.worker.Run(finish.get_token(), {});
  EXPECT_EQ(idle, 1);
}

TEST_F(SinkTurnTest, AReplicaTakesOverWithinAWindow) {
  clock.SetWall(WallTime(minutes(60)));
  Replica first(*this, minutes(10));
  Replica second(*this, minutes(10));
  // Each version is one occurrence of the Event named.
  const auto offer = [&](std::string_view uid, uint64_t version) {
    first.Offer(uid, version);
    second.Offer(uid, version);
  };
  offer("a", 1);
  offer("b", 2);
  offer("c", 3);
  offer("a", 4);
  Begin(1);
  clock.Advance(minutes(10));
  EXPECT_EQ(first.worker.DeliverBatch({}).next, Next::kMore);
  EXPECT_THAT(first.sink.seen, ElementsAre("b:1@2", "c:1@3"));
  EXPECT_EQ(turn.published, R"({"deliveredOfWindow":{"":3},"window":4})");
  // The second has counted more before it takes over.
  second.Offer("b", 5);
  second.Offer("a", 6);
  Begin(0);
  second.worker.DeliverBatch({});
  Begin(2);
  clock.Advance(minutes(10));
  while (second.worker.DeliverBatch({}).next == Next::kMore) {
  }
  std::vector<std::string> all = second.sink.seen;
  std::sort(all.begin(), all.end());
  EXPECT_THAT(all, ElementsAre("a:3@6", "b:1@5"));
}

}  // namespace
}  // namespace kem

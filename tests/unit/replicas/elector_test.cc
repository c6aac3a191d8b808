// Which replica delivers, and until when.
#include "replicas/elector.h"

#include <gmock/gmock.h>

#include <thread>

#include "testing/fake_clock.h"
#include "unit/replicas/lease_server.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ElectorTest : public ::testing::Test {
 protected:
  static bool Leads(Elector& elector) { return elector.Of("store").turn > 0; }
  static DeliveryMark Delivered(Elector& elector) {
    return elector.Of("store").delivered;
  }
  // Publishes on a thread, as a sink does, while the elector's thread writes.
  static bool Publish(Elector& elector, uint64_t turn, uint64_t version) {
    bool published = false;
    done = false;
    std::jthread sink([&](const std::stop_token& stop) {
      published =
          elector.Publish(turn, "store", {.whole = {{"", version}}}, stop);
      done = true;
    });
    while (!done) elector.Step({});
    sink.join();
    return published;
  }
  // Both take a step after each retry interval, for this long.
  void Pass(seconds time) {
    for (seconds passed{0}; passed < time; passed += seconds(2)) {
      clock.Advance(seconds(2));
      a.Step({});
      b.Step({});
    }
  }

  static inline std::atomic<bool> done = false;
  FakeClock clock;
  LeaseServer server;
  LeaseServer away = Down();
  Elector a{server, {"monitoring", "kem"}, "a_1", clock};
  Elector b{server, {"monitoring", "kem"}, "b_2", clock};

 private:
  static LeaseServer Down() {
    LeaseServer server;
    server.down = true;
    return server;
  }
};

TEST_F(ElectorTest, TheFirstLeadsAndTheOtherFollows) {
  EXPECT_FALSE(Leads(a));
  EXPECT_EQ(a.Step({}), seconds(2));
  EXPECT_EQ(b.Step({}), seconds(2));
  EXPECT_TRUE(Leads(a));
  EXPECT_FALSE(Leads(b));
  Pass(seconds(120));
  EXPECT_TRUE(Leads(a));
  EXPECT_FALSE(Leads(b));
  const ReplicaStatus status = b.Status();
  EXPECT_TRUE(status.elects);
  EXPECT_FALSE(status.leads);
  EXPECT_EQ(status.holder, "a_1");
  EXPECT_EQ(status.acquired, FakeClock().WallNow());
  EXPECT_EQ(status.transitions, 0U);
  EXPECT_TRUE(a.Status().leads);
}

TEST_F(ElectorTest, ADeadHolderIsFollowedAfter15Seconds) {
  a.Step({});
  b.Step({});
  for (int i = 0; i < 7; ++i) {
    clock.Advance(seconds(2));
    b.Step({});
    EXPECT_FALSE(Leads(b)) << i;
  }
  // The holder has stopped five seconds before.
  EXPECT_FALSE(Leads(a));
  clock.Advance(seconds(2));
  b.Step({});
  EXPECT_TRUE(Leads(b));
  EXPECT_EQ(b.Status().transitions, 1U);
}

TEST_F(ElectorTest, AWallClockDecidesNothing) {
  a.Step({});
  clock.SetWall(clock.WallNow() + std::chrono::hours(5));
  b.Step({});
  EXPECT_FALSE(Leads(b));
  clock.SetWall(clock.WallNow() - std::chrono::hours(10));
  Pass(seconds(60));
  EXPECT_TRUE(Leads(a));
  EXPECT_FALSE(Leads(b));
}

TEST_F(ElectorTest, TheHolderStopsTenSecondsAfterItsLastRenewal) {
  a.Step({});
  std::stop_token over = a.Of("store").over;
  server.down = true;
  clock.Advance(milliseconds(9'999));
  EXPECT_EQ(a.Step({}), milliseconds(1));
  EXPECT_EQ(server.limits.back(), milliseconds(1));
  EXPECT_TRUE(Leads(a));
  EXPECT_FALSE(over.stop_requested());
  clock.Advance(milliseconds(1));
  EXPECT_FALSE(Leads(a));
  a.Step({});
  EXPECT_TRUE(over.stop_requested());
  EXPECT_EQ(a.Status().failures, 1U);
  // No other has taken it.
  server.down = false;
  a.Step({});
  EXPECT_TRUE(Leads(a));
  EXPECT_EQ(a.Of("store").turn, 2U);
  EXPECT_EQ(a.Status().transitions, 0U);
}

TEST_F(ElectorTest, AFrozenHolderLeadsNoMoreWhenItWakes) {
  a.Step({});
  b.Step({});
  const std::stop_token over = a.Of("store").over;
  clock.Advance(seconds(60));
  EXPECT_FALSE(Leads(a));
  b.Step({});
  EXPECT_TRUE(Leads(b));
  a.Step({});
  EXPECT_TRUE(over.stop_requested());
  a.Step({});
  EXPECT_FALSE(Leads(a));
  EXPECT_TRUE(Leads(b));
}

TEST_F(ElectorTest, ATakenLeaseIsNoticedByTheConflict) {
  a.Step({});
  server.lease["spec"]["holderIdentity"] = "c_3";
  server.Touch();
  a.Step({});
  EXPECT_FALSE(Leads(a));
}

TEST_F(ElectorTest, AChangeByKubectlTakesNothing) {
  a.Step({});
  server.lease["metadata"]["labels"] = {{"team", "x"}};
  server.Touch();
  EXPECT_EQ(a.Step({}), milliseconds(100));
  EXPECT_TRUE(Leads(a));
  a.Step({});
  EXPECT_EQ(server.lease["metadata"]["labels"]["team"], "x");
  EXPECT_EQ(a.Of("store").turn, 1U);
}

TEST_F(ElectorTest, ADeletedLeaseIsCreatedAgainWithAllThatIsKnown) {
  a.Step({});
  EXPECT_TRUE(Publish(a, 1, 50));
  b.Step({});
  server.lease = nullptr;
  EXPECT_EQ(a.Step({}), milliseconds(0));
  EXPECT_FALSE(Leads(a));
  b.Step({});
  EXPECT_TRUE(Leads(b));
  EXPECT_EQ(server.lease["metadata"]["annotations"]["kube-event-metrics/store"],
            R"({"delivered":{"":50}})");
  EXPECT_EQ(Delivered(b), (DeliveryMark{.whole = {{"", 50}}}));
}

TEST_F(ElectorTest, ALeaseThatIsChangedAndDeletedIsLost) {
  a.Step({});
  server.Touch();
  server.on_request = [&] {
    if (server.requests.back().starts_with("GET")) server.lease = nullptr;
  };
  a.Step({});
  EXPECT_FALSE(Leads(a));
}

TEST_F(ElectorTest, WhatCouldNotBePublishedIsPublishedLater) {
  a.Step({});
  server.down = true;
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_FALSE(
      a.Publish(1, "store", {.whole = {{"", 50}}}, stopped.get_token()));
  clock.Advance(seconds(10));
  a.Step({});
  EXPECT_FALSE(Leads(a));
  server.down = false;
  a.Step({});
  EXPECT_TRUE(Leads(a));
  b.Step({});
  EXPECT_EQ(Delivered(b), (DeliveryMark{.whole = {{"", 50}}}));
}

TEST_F(ElectorTest, AFailedPublicationIsNotRepeatedAtOnce) {
  a.Step({});
  std::stop_source stop;
  server.down = true;
  std::jthread sink(
      [&] { EXPECT_FALSE(a.Publish(1, "store", {}, stop.get_token())); });
  std::jthread elector([&] { a.Run(stop.get_token()); });
  while (a.Status().failures == 0) std::this_thread::yield();
  std::this_thread::yield();
  stop.request_stop();
  elector.join();
  EXPECT_LE(a.Status().failures, 2U);
}

TEST_F(ElectorTest, AReleaseAfterAWriteWhoseAnswerIsLost) {
  a.Step({});
  server.Touch();  // the stop ended the write
  a.Release();
  EXPECT_EQ(server.holder(), "");
}

TEST_F(ElectorTest, OneOfTwoThatCreateItLeads) {
  server.on_request = [&, first = true]() mutable {
    // Between the other's read and its write.
    if (server.requests.back().starts_with("POST") && first) {
      first = false;
      b.Step({});
    }
  };
  a.Step({});
  EXPECT_TRUE(Leads(b));
  EXPECT_FALSE(Leads(a));
}

TEST_F(ElectorTest, WhatIsDeliveredReachesTheOthers) {
  a.Step({});
  EXPECT_TRUE(Publish(a, a.Of("store").turn, 50));
  b.Step({});
  EXPECT_EQ(Delivered(b), (DeliveryMark{.whole = {{"", 50}}}));
  EXPECT_EQ(server.lease["metadata"]["annotations"]["kube-event-metrics/store"],
            R"({"delivered":{"":50}})");
}

TEST_F(ElectorTest, NothingIsPublishedAfterATurn) {
  a.Step({});
  const uint64_t turn = a.Of("store").turn;
  server.down = true;
  done = false;
  std::jthread sink([&] {
    EXPECT_FALSE(a.Publish(turn, "store", {.whole = {{"", 50}}}, {}));
    done = true;
  });
  while (!done) {
    clock.Advance(seconds(1));
    a.Step({});
  }
  sink.join();
  EXPECT_FALSE(a.Publish(turn, "store", {.whole = {{"", 60}}}, {}));
  server.down = false;
  clock.Advance(seconds(20));
  b.Step({});
  clock.Advance(seconds(16));
  b.Step({});
  EXPECT_TRUE(Leads(b));
  EXPECT_EQ(Delivered(b), DeliveryMark());
}

TEST_F(ElectorTest, AReleasedLeaseIsTakenAtOnce) {
  a.Step({});
  b.Step({});
  EXPECT_TRUE(Publish(a, 1, 50));
  a.Release();
  EXPECT_FALSE(Leads(a));
  EXPECT_EQ(server.holder(), "");
  b.Step({});
  EXPECT_TRUE(Leads(b));
  EXPECT_EQ(Delivered(b), (DeliveryMark{.whole = {{"", 50}}}));
  EXPECT_EQ(b.Status().transitions, 1U);
  a.Release();  // of another's
  EXPECT_EQ(server.holder(), "b_2");
}

TEST_F(ElectorTest, AnUnreadableMarkCountsForNothing) {
  a.Step({});
  server.lease["metadata"]["annotations"]["kube-event-metrics/store"] = "x";
  server.Touch();
  b.Step({});
  EXPECT_EQ(Delivered(b), DeliveryMark());
}

TEST_F(ElectorTest, WithoutTheApiServerNoReplicaLeads) {
  Elector alone(away, {"monitoring", "kem"}, "c_3", clock);
  EXPECT_EQ(alone.Step({}), seconds(2));
  EXPECT_FALSE(Leads(alone));
  EXPECT_EQ(alone.Status().failures, 1U);
  EXPECT_EQ(alone.Status().holder, "");
}

TEST_F(ElectorTest, RunEndsWithItsStop) {
  std::stop_source stop;
  server.on_request = [&] { stop.request_stop(); };
  a.Run(stop.get_token());
  EXPECT_EQ(server.requests.size(), 2U);
}

}  // namespace
}  // namespace kem

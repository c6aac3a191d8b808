// When ScopeResolver runs discovery, and what it learns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <string>
#include <thread>

#include "events/discovery.h"
#include "events/refresh_schedule.h"
#include "events/scope.h"
#include "unit/events/fake_api_server.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::SizeIs;

class ScopeRefreshTest : public testing::Test {
 protected:
  ScopeRefreshTest() {
    Serve(AggregatedGroup("", "v1",
                          AggregatedResource("Node", "Cluster") + "," +
                              AggregatedResource("Pod", "Namespaced")),
          "");
  }

  void Serve(const std::string& core, const std::string& groups) {
    server_.answers["/api"] = {200, AggregatedDocument(core)};
    server_.answers["/apis"] = {200, AggregatedDocument(groups)};
  }
  void ServeNodePool() {
    Serve(AggregatedGroup("", "v1", AggregatedResource("Node", "Cluster")),
          AggregatedGroup("fleet.example.com", "v1",
                          AggregatedResource("NodePool", "Cluster")));
  }
  void Break() {
    server_.answers["/api"] = {503, "unavailable"};
    server_.answers["/apis"] = {503, "unavailable"};
  }

  void Refresh() {
    std::unique_lock guard(mutex_);
    scopes_.Refresh(guard, {});
    EXPECT_TRUE(guard.owns_lock());
  }
  // As the pipeline does for a watch event. True when discovery ran.
  bool Frame(const std::string& api_version, const std::string& kind) {
    std::unique_lock guard(mutex_);
    decision_ = scopes_.TryResolve(api_version, kind, false);
    if (decision_) return false;
    scopes_.Refresh(guard, {});
    decision_ = scopes_.Resolve(api_version, kind, false);
    return true;
  }
  uint64_t Refreshes(RefreshResult result) const {
    return scopes_.stats().refreshes[static_cast<size_t>(result)];
  }

  FakeClock clock_;
  FakeApiServer server_{clock_};
  Discovery discovery_{server_, clock_};
  std::mutex mutex_;
  ScopeResolver scopes_{discovery_, clock_};
  std::optional<ScopeDecision> decision_;
};

TEST_F(ScopeRefreshTest, KnownKindsAskNothing) {
  Refresh();
  EXPECT_FALSE(Frame("v1", "Node"));
  EXPECT_FALSE(Frame("v1", "Pod"));
  EXPECT_FALSE(Frame("", "Pod"));
  EXPECT_THAT(server_.Paths(), ElementsAre("/api", "/apis"));
  EXPECT_EQ(Refreshes(RefreshResult::kSuccess), 1U);
}

TEST_F(ScopeRefreshTest, ANewCrdIsKnownAtItsFirstEvent) {
  Refresh();
  ServeNodePool();
  EXPECT_TRUE(Frame("fleet.example.com/v1", "NodePool"));
  EXPECT_EQ(decision_->by, ScopeSource::kDiscovery);
  EXPECT_EQ(decision_->scope, Scope::kCluster);
  EXPECT_FALSE(Frame("fleet.example.com/v1", "NodePool"));
  EXPECT_THAT(server_.requests, SizeIs(4));
}

TEST_F(ScopeRefreshTest, AKnownKindOfAnUnknownGroupIsAskedFor) {
  Refresh();
  Serve(AggregatedGroup("", "v1", AggregatedResource("Node", "Cluster")),
        AggregatedGroup("foo.io", "v1",
                        AggregatedResource("Node", "Namespaced")));
  EXPECT_TRUE(Frame("foo.io/v1", "Node"));
  EXPECT_EQ(decision_->scope, Scope::kNamespaced);
  EXPECT_EQ(decision_->by, ScopeSource::kDiscovery);
}

TEST_F(ScopeRefreshTest, AKindThatStaysUnknownIsAskedForLessAndLess) {
  Refresh();
  std::vector<int64_t> asked_at;
  const SteadyTime start = clock_.SteadyNow();
  while (clock_.SteadyNow() - start < minutes(51)) {
    if (Frame("acme.io/v1", "Gadget")) {
      asked_at.push_back(
          std::chrono::duration_cast<seconds>(clock_.SteadyNow() - start)
              .count());
    }
    EXPECT_EQ(decision_->by, ScopeSource::kInferred);
    clock_.Advance(milliseconds(500));
  }
  EXPECT_THAT(asked_at, ElementsAre(0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 1023,
                                    1623, 2223, 2823));
}

TEST_F(ScopeRefreshTest, EachUnknownKindHasItsOwnBackOff) {
  Refresh();
  EXPECT_TRUE(Frame("acme.io/v1", "Gadget"));
  EXPECT_TRUE(Frame("acme.io/v1", "Gizmo"));
  EXPECT_TRUE(Frame("acme.io/v2", "Gizmo"));
  EXPECT_FALSE(Frame("acme.io/v1", "Gadget"));
  EXPECT_FALSE(Frame("acme.io/v2", "Gizmo"));
}

TEST_F(ScopeRefreshTest, MadeUpKindsDrainATokenBucket) {
  Refresh();
  int asked = 0;
  for (int i = 0; i < 100; ++i) {
    if (Frame("acme.io/v1", "Gadget" + std::to_string(i))) ++asked;
  }
  EXPECT_EQ(asked, 10);
  clock_.Advance(seconds(9));
  EXPECT_FALSE(Frame("acme.io/v1", "Gadget200"));
  clock_.Advance(seconds(1));
  // Still due, because it was not requested before.
  EXPECT_TRUE(Frame("acme.io/v1", "Gadget200"));
  EXPECT_FALSE(Frame("acme.io/v1", "Gadget201"));
}

TEST_F(ScopeRefreshTest, AKindOnlyInTheTableIsRequestedToo) {
  Break();
  Refresh();
  clock_.Advance(seconds(1));
  EXPECT_TRUE(Frame("v1", "Node"));
  EXPECT_EQ(decision_->by, ScopeSource::kTable);
  EXPECT_EQ(Refreshes(RefreshResult::kFailed), 2U);
}

TEST_F(ScopeRefreshTest, FailuresMakeAllKindsWait) {
  Break();
  Refresh();
  EXPECT_FALSE(Frame("v1", "Node"));
  clock_.Advance(seconds(1));
  EXPECT_TRUE(Frame("v1", "Node"));
  EXPECT_FALSE(Frame("v1", "Pod"));
  clock_.Advance(milliseconds(1999));
  EXPECT_FALSE(Frame("v1", "Pod"));
  clock_.Advance(milliseconds(1));
  EXPECT_TRUE(Frame("v1", "Pod"));
}

TEST_F(ScopeRefreshTest, DiscoveryThatComesBackIsBelieved) {
  Break();
  Refresh();
  clock_.Advance(seconds(1));
  EXPECT_TRUE(Frame("v1", "Node"));
  ServeNodePool();
  clock_.Advance(seconds(2));
  EXPECT_TRUE(Frame("v1", "Node"));
  EXPECT_EQ(decision_->by, ScopeSource::kDiscovery);
  // The success ended the back-off for all kinds.
  EXPECT_TRUE(Frame("acme.io/v1", "Gadget"));
}

TEST_F(ScopeRefreshTest, AFailureKeepsWhatWasKnown) {
  Refresh();
  Break();
  Refresh();
  EXPECT_FALSE(Frame("v1", "Node"));
  EXPECT_EQ(decision_->by, ScopeSource::kDiscovery);
}

TEST_F(ScopeRefreshTest, AStaleGroupKeepsItsMapping) {
  ServeNodePool();
  Refresh();
  Serve("", R"({"metadata":{"name":"fleet.example.com"},"versions":[
      {"version":"v1","freshness":"Stale","resources":[]}]},)" +
                AggregatedGroup("apps", "v1",
                                AggregatedResource("Job", "Namespaced")));
  Refresh();
  EXPECT_EQ(Refreshes(RefreshResult::kPartial), 1U);
  EXPECT_FALSE(Frame("fleet.example.com/v1", "NodePool"));
  EXPECT_EQ(decision_->by, ScopeSource::kDiscovery);
}

TEST_F(ScopeRefreshTest, StoppingIsNoFailure) {
  std::stop_source stop;
  stop.request_stop();
  std::unique_lock guard(mutex_);
  scopes_.Refresh(guard, stop.get_token());
  EXPECT_TRUE(guard.owns_lock());
  EXPECT_EQ(Refreshes(RefreshResult::kFailed), 0U);
}

TEST_F(ScopeRefreshTest, TheMutexIsFreeWhileTheApiServerThinks) {
  server_.during_get = [&] {
    // A scrape, or a watch event of another watch.
    std::async(std::launch::async, [&] {
      const std::scoped_lock guard(mutex_);
      scopes_.Resolve("v1", "Node", false);
    }).get();
  };
  Refresh();
  EXPECT_THAT(server_.requests, SizeIs(2));
}

TEST_F(ScopeRefreshTest, TwoWatchesShareOneQuestion) {
  std::jthread other;
  std::promise<void> other_waits;
  server_.during_get = [&] {
    if (server_.requests.size() != 1) return;
    other = std::jthread([&] {
      std::unique_lock guard(mutex_);
      other_waits.set_value();
      scopes_.Refresh(guard, {});
      EXPECT_EQ(scopes_.Resolve("v1", "Node", false).by,
                ScopeSource::kDiscovery);
    });
    other_waits.get_future().wait();
  };
  Refresh();
  other.join();
  EXPECT_THAT(server_.requests, SizeIs(2));
}

TEST_F(ScopeRefreshTest, AWaiterLeavesWhenAskedToStop) {
  std::stop_source stop;
  server_.during_get = [&] {
    std::jthread other([&] {
      std::unique_lock guard(mutex_);
      scopes_.Refresh(guard, stop.get_token());
      EXPECT_TRUE(guard.owns_lock());
    });
    stop.request_stop();
  };
  Refresh();
  EXPECT_THAT(server_.requests, SizeIs(2));
}

TEST(RefreshScheduleTest, RemembersABoundedNumberOfKinds) {
  RefreshSchedule schedule;
  SteadyTime now{std::chrono::hours(1)};
  int asked = 0;
  for (size_t i = 0; i < 3 * RefreshSchedule::kMaxKinds; ++i) {
    const std::string kind = "Gadget" + std::to_string(i);
    if (schedule.Due({"acme.io/v1", kind}, now, false)) ++asked;
    ASSERT_LE(schedule.size(), RefreshSchedule::kMaxKinds);
  }
  EXPECT_EQ(asked, RefreshSchedule::kBurst);
}

TEST(RefreshScheduleTest, FailuresBackOffToTenMinutes) {
  RefreshSchedule schedule;
  const SteadyTime now{std::chrono::hours(1)};
  std::array<int64_t, 12> waits{};
  for (int64_t& wait : waits) wait = schedule.Failed(now).count();
  EXPECT_THAT(waits,
              ElementsAre(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600));
  schedule.Succeeded();
  EXPECT_EQ(schedule.Failed(now), seconds(1));
}

TEST(RefreshScheduleTest, ForgetsKindsThatBecameKnown) {
  RefreshSchedule schedule;
  const SteadyTime now{std::chrono::hours(1)};
  schedule.Due({"a/v1", "A"}, now, false);
  schedule.Due({"b/v1", "B"}, now, false);
  schedule.Forget([](KindRef kind) { return kind.kind == "A"; });
  EXPECT_EQ(schedule.size(), 1U);
  EXPECT_FALSE(schedule.Due({"b/v1", "B"}, now, false));
}

}  // namespace
}  // namespace kem

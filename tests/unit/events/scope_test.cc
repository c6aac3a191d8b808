#include "events/scope.h"

#include <gtest/gtest.h>

#include <string>

#include "events/cluster_kinds.h"
#include "events/discovery.h"
#include "unit/events/fake_api_server.h"

namespace kem {

void PrintTo(const ScopeDecision& decision, std::ostream* os) {
  *os << (decision.scope == Scope::kCluster ? "cluster" : "namespaced")
      << " by " << kScopeSourceNames[static_cast<size_t>(decision.by)]
      << (decision.conflict ? " with conflict" : "");
}

bool operator==(const ScopeDecision& a, const ScopeDecision& b) {
  return a.scope == b.scope && a.by == b.by && a.conflict == b.conflict;
}

namespace {

constexpr bool kWithNamespace = true;
constexpr bool kWithoutNamespace = false;

ScopeDecision Cluster(ScopeSource by) { return {Scope::kCluster, by, false}; }
ScopeDecision ClusterInConflict(ScopeSource by) {
  return {Scope::kCluster, by, true};
}
ScopeDecision Namespaced(ScopeSource by) {
  return {Scope::kNamespaced, by, false};
}

// Has only the kinds of Learn: discovery never responds.
class ScopeTest : public testing::Test {
 protected:
  void Teach(std::vector<ApiKind> kinds) {
    ApiKinds found;
    found.kinds = std::move(kinds);
    scopes_.Learn(found);
  }
  void TeachBuiltIns() {
    Teach({{"v1", "Node", false},
           {"v1", "Pod", true},
           {"v1", "Namespace", false},
           {"v1", "PersistentVolume", false},
           {"coordination.k8s.io/v1", "Lease", true},
           {"apps/v1", "Deployment", true},
           {"events.k8s.io/v1", "Event", true},
           {"v1", "Event", true}});
  }

  FakeClock clock_;
  FakeApiServer server_{clock_};
  Discovery discovery_{server_, clock_};
  ScopeResolver scopes_{discovery_, clock_};
};

TEST_F(ScopeTest, DiscoveryDecidesWhatTheNamespaceOfTheObjectCannot) {
  TeachBuiltIns();
  using enum ScopeSource;
  EXPECT_EQ(scopes_.Resolve("v1", "Node", kWithoutNamespace),
            Cluster(kDiscovery));
  EXPECT_EQ(scopes_.Resolve("v1", "Namespace", kWithoutNamespace),
            Cluster(kDiscovery));
  EXPECT_EQ(scopes_.Resolve("v1", "PersistentVolume", kWithoutNamespace),
            Cluster(kDiscovery));
  EXPECT_EQ(scopes_.Resolve("v1", "Pod", kWithNamespace),
            Namespaced(kDiscovery));
  // Events of leader election are about a Lease.
  EXPECT_EQ(scopes_.Resolve("coordination.k8s.io/v1", "Lease", kWithNamespace),
            Namespaced(kDiscovery));
}

TEST_F(ScopeTest, ACarelessWriterDoesNotMakeAPodClusterScoped) {
  TeachBuiltIns();
  EXPECT_EQ(scopes_.Resolve("v1", "Pod", kWithoutNamespace),
            Namespaced(ScopeSource::kDiscovery));
}

TEST_F(ScopeTest, ANodeWithANamespaceIsClusterScopedAndAConflict) {
  TeachBuiltIns();
  EXPECT_EQ(scopes_.Resolve("v1", "Node", kWithNamespace),
            ClusterInConflict(ScopeSource::kDiscovery));
  EXPECT_EQ(scopes_.stats().conflicts, 1U);
}

TEST_F(ScopeTest, AnOldKubeletsNodeWithoutApiVersionIsKnownByItsKind) {
  TeachBuiltIns();
  EXPECT_EQ(scopes_.TryResolve("", "Node", kWithoutNamespace),
            Cluster(ScopeSource::kDiscovery));
  EXPECT_EQ(scopes_.TryResolve("", "Event", kWithNamespace),
            Namespaced(ScopeSource::kDiscovery));
}

TEST_F(ScopeTest, AVersionNoLongerServedIsAsItsSisters) {
  TeachBuiltIns();
  EXPECT_EQ(scopes_.TryResolve("apps/v1beta2", "Deployment", kWithoutNamespace),
            Namespaced(ScopeSource::kDiscovery));
}

TEST_F(ScopeTest, SistersOfTheSameGroupWeighMoreThanOtherGroups) {
  Teach({{"v1", "Node", false}, {"foo.io/v1", "Node", true}});
  EXPECT_EQ(scopes_.Resolve("foo.io/v2", "Node", kWithoutNamespace),
            Namespaced(ScopeSource::kDiscovery));
  EXPECT_EQ(scopes_.Resolve("v2", "Node", kWithoutNamespace),
            Cluster(ScopeSource::kDiscovery));
}

TEST_F(ScopeTest, AReferenceWithoutAGroupTakesWhatAllGroupsAgreeOn) {
  Teach({{"a.io/v1", "Pool", false}, {"b.io/v1", "Pool", false}});
  for (const char* api_version : {"", "v1", "v1alpha1"}) {
    EXPECT_EQ(scopes_.Resolve(api_version, "Pool", kWithoutNamespace),
              Cluster(ScopeSource::kDiscovery));
    EXPECT_EQ(scopes_.Resolve(api_version, "Pool", kWithNamespace),
              ClusterInConflict(ScopeSource::kDiscovery));
  }
}

TEST_F(ScopeTest, AGroupThatIsNotServedHasNoKindOfAnotherGroup) {
  TeachBuiltIns();
  Teach({{"a.io/v1", "Pool", false}, {"b.io/v1", "Pool", false}});
  for (const char* kind : {"Node", "Pool"}) {
    EXPECT_EQ(scopes_.Resolve("gone.io/v1", kind, kWithNamespace),
              Namespaced(ScopeSource::kInferred));
    EXPECT_EQ(scopes_.Resolve("gone.io/v1", kind, kWithoutNamespace),
              Cluster(ScopeSource::kInferred));
  }
  EXPECT_EQ(scopes_.stats().conflicts, 0U);
  // A built-in group of an older API server.
  EXPECT_EQ(
      scopes_.Resolve("extensions/v1beta1", "Deployment", kWithoutNamespace),
      Namespaced(ScopeSource::kTable));
}

TEST_F(ScopeTest, GroupsThatDisagreeDecideNothing) {
  Teach({{"a.io/v1", "Pool", false}, {"b.io/v1", "Pool", true}});
  using enum ScopeSource;
  EXPECT_EQ(scopes_.Resolve("a.io/v1", "Pool", kWithoutNamespace),
            Cluster(kDiscovery));
  EXPECT_EQ(scopes_.Resolve("b.io/v1", "Pool", kWithoutNamespace),
            Namespaced(kDiscovery));
  for (const char* api_version : {"", "c.io/v1"}) {
    EXPECT_EQ(scopes_.Resolve(api_version, "Pool", kWithoutNamespace),
              Cluster(kInferred));
    EXPECT_EQ(scopes_.Resolve(api_version, "Pool", kWithNamespace),
              Namespaced(kInferred));
  }
}

TEST_F(ScopeTest, TheTableBreaksATieOfGroupsWithoutApiVersion) {
  Teach({{"v1", "Node", false}, {"foo.io/v1", "Node", true}});
  EXPECT_EQ(scopes_.Resolve("", "Node", kWithNamespace),
            ClusterInConflict(ScopeSource::kTable));
}

TEST_F(ScopeTest, OneKindWithBothScopesInOneVersionIsInferred) {
  Teach({{"odd.io/v1", "Review", false},
         {"odd.io/v1", "Review", true},
         {"odd.io/v1", "Review", true}});
  EXPECT_EQ(scopes_.TryResolve("odd.io/v1", "Review", kWithNamespace),
            Namespaced(ScopeSource::kInferred));
  EXPECT_EQ(scopes_.TryResolve("odd.io/v1", "Review", kWithoutNamespace),
            Cluster(ScopeSource::kInferred));
}

TEST_F(ScopeTest, ARecreatedCrdMayChangeItsScope) {
  Teach({{"fleet.example.com/v1", "NodePool", true}});
  Teach({{"fleet.example.com/v1", "NodePool", false}});
  EXPECT_EQ(
      scopes_.Resolve("fleet.example.com/v1", "NodePool", kWithoutNamespace),
      Cluster(ScopeSource::kDiscovery));
}

TEST_F(ScopeTest, KindsOfADeletedCrdStayKnown) {
  Teach({{"fleet.example.com/v1", "NodePool", false}});
  TeachBuiltIns();
  EXPECT_EQ(
      scopes_.TryResolve("fleet.example.com/v1", "NodePool", kWithNamespace),
      ClusterInConflict(ScopeSource::kDiscovery));
}

TEST_F(ScopeTest, TheTableServesWhileDiscoveryIsSilent) {
  using enum ScopeSource;
  EXPECT_EQ(scopes_.Resolve("v1", "Node", kWithNamespace),
            ClusterInConflict(kTable));
  EXPECT_EQ(scopes_.Resolve("", "PersistentVolume", kWithoutNamespace),
            Cluster(kTable));
  EXPECT_EQ(
      scopes_.Resolve("storage.k8s.io/v1beta1", "CSINode", kWithoutNamespace),
      Cluster(kTable));
}

TEST_F(ScopeTest, TheTableKeepsOutOfOtherPeoplesGroups) {
  using enum ScopeSource;
  EXPECT_EQ(scopes_.Resolve("foo.io/v1", "Node", kWithNamespace),
            Namespaced(kInferred));
  EXPECT_EQ(scopes_.Resolve("foo.io/v1", "Node", kWithoutNamespace),
            Cluster(kInferred));
}

TEST_F(ScopeTest, TheTableHasNamespacedKindsToo) {
  using enum ScopeSource;
  for (const bool has_namespace : {kWithNamespace, kWithoutNamespace}) {
    EXPECT_EQ(scopes_.Resolve("v1", "Pod", has_namespace), Namespaced(kTable));
    EXPECT_EQ(scopes_.Resolve("", "Deployment", has_namespace),
              Namespaced(kTable));
    EXPECT_EQ(scopes_.Resolve("batch/v1beta1", "CronJob", has_namespace),
              Namespaced(kTable));
  }
  EXPECT_EQ(scopes_.Resolve("serving.example/v1", "Service", kWithoutNamespace),
            Cluster(kInferred));
}

TEST_F(ScopeTest, WithNothingElseTheObjectsNamespaceDecides) {
  using enum ScopeSource;
  EXPECT_EQ(scopes_.Resolve("acme.io/v1", "Gadget", kWithNamespace),
            Namespaced(kInferred));
  EXPECT_EQ(scopes_.Resolve("acme.io/v1", "Gadget", kWithoutNamespace),
            Cluster(kInferred));
}

TEST_F(ScopeTest, AnEmptyReferenceIsInferredWithoutAsking) {
  TeachBuiltIns();
  EXPECT_EQ(scopes_.TryResolve("", "", kWithoutNamespace),
            Cluster(ScopeSource::kInferred));
  EXPECT_EQ(scopes_.TryResolve("v1", "", kWithNamespace),
            Namespaced(ScopeSource::kInferred));
}

TEST_F(ScopeTest, NamesNoApiServerAcceptsAreInferredWithoutAsking) {
  EXPECT_EQ(scopes_.TryResolve("v1", std::string(64, 'K'), kWithNamespace),
            Namespaced(ScopeSource::kInferred));
  EXPECT_EQ(scopes_.TryResolve(std::string(318, 'v'), "Gadget", kWithNamespace),
            Namespaced(ScopeSource::kInferred));
}

TEST_F(ScopeTest, CountsEachDecisionByItsSource) {
  TeachBuiltIns();
  scopes_.Resolve("v1", "Node", kWithNamespace);
  scopes_.TryResolve("v1", "Pod", kWithNamespace);
  scopes_.Resolve("storage.k8s.io/v1", "CSINode", kWithoutNamespace);
  scopes_.Resolve("acme.io/v1", "Gadget", kWithNamespace);
  // Empty: not a decision.
  EXPECT_FALSE(scopes_.TryResolve("acme.io/v1", "Gadget", kWithNamespace));
  const ScopeStats& stats = scopes_.stats();
  EXPECT_EQ(stats.decisions[0], 2U);
  EXPECT_EQ(stats.decisions[1], 1U);
  EXPECT_EQ(stats.decisions[2], 1U);
  EXPECT_EQ(stats.conflicts, 1U);
}

TEST(ClusterKindsTest, HasTheKindsOfKubernetesInAnyVersion) {
  EXPECT_TRUE(IsBuiltInClusterKind("", "Node"));
  EXPECT_TRUE(IsBuiltInClusterKind("v1", "Node"));
  EXPECT_TRUE(IsBuiltInClusterKind("resource.k8s.io/v1alpha9", "DeviceClass"));
  EXPECT_TRUE(IsBuiltInClusterKind("", "APIService"));
  EXPECT_TRUE(IsBuiltInClusterKind("", "VolumeAttributesClass"));
  EXPECT_FALSE(IsBuiltInClusterKind("v1", "Pod"));
  EXPECT_FALSE(IsBuiltInClusterKind("karpenter.sh/v1", "Node"));
  EXPECT_FALSE(IsBuiltInClusterKind("", "node"));
  EXPECT_FALSE(IsBuiltInClusterKind("", ""));
  EXPECT_FALSE(IsBuiltInClusterKind("", "Zebra"));
}

TEST(ClusterKindsTest, HasTheNamespacedKindsToo) {
  EXPECT_TRUE(IsBuiltInNamespacedKind("", "Pod"));
  EXPECT_TRUE(IsBuiltInNamespacedKind("v1", "Pod"));
  EXPECT_TRUE(IsBuiltInNamespacedKind("v1", "Event"));
  EXPECT_TRUE(IsBuiltInNamespacedKind("events.k8s.io/v1beta1", "Event"));
  EXPECT_TRUE(IsBuiltInNamespacedKind("apps/v1", "Deployment"));
  EXPECT_TRUE(IsBuiltInNamespacedKind("extensions/v1beta1", "Deployment"));
  EXPECT_TRUE(IsBuiltInNamespacedKind("", "Binding"));
  EXPECT_TRUE(
      IsBuiltInNamespacedKind("scheduling.k8s.io/v1alpha3", "Workload"));
  EXPECT_FALSE(IsBuiltInNamespacedKind("v1", "Deployment"));
  EXPECT_FALSE(IsBuiltInNamespacedKind("v1", "Node"));
  EXPECT_FALSE(IsBuiltInNamespacedKind("foo.io/v1", "Pod"));
  EXPECT_FALSE(IsBuiltInNamespacedKind("", ""));
  EXPECT_FALSE(IsBuiltInNamespacedKind("", "Zebra"));
}

TEST(ClusterKindsTest, TheGroupIsWhatStandsBeforeTheSlash) {
  EXPECT_EQ(ApiGroup(""), "");
  EXPECT_EQ(ApiGroup("v1"), "");
  EXPECT_EQ(ApiGroup("apps/v1"), "apps");
  EXPECT_EQ(ApiGroup("fleet.example.com/v1alpha1"), "fleet.example.com");
  EXPECT_EQ(ApiGroup("/v1"), "");
  EXPECT_EQ(ApiGroup("a/b/c"), "a");
}

}  // namespace
}  // namespace kem

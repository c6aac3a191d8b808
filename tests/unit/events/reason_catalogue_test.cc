// The table in the binary. reason_catalogue_tool_test.py tests the tool that
// writes it.

#include "events/reason_catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "events/cluster_kinds.h"

namespace kem {
namespace {

auto Key(const CatalogueReason& one) {
  return std::tie(one.reason, one.type, one.kind, one.api_group, one.component);
}

const CatalogueReason* Find(std::string_view component,
                            std::string_view reason) {
  for (const CatalogueReason& one : ReasonCatalogue()) {
    if (one.component == component && one.reason == reason) return &one;
  }
  return nullptr;
}

TEST(ReasonCatalogueTest, IsSortedAndHasNoneTwice) {
  const auto all = ReasonCatalogue();
  ASSERT_GT(all.size(), 700U);
  EXPECT_TRUE(std::is_sorted(
      all.begin(), all.end(),
      [](const auto& a, const auto& b) { return Key(a) <= Key(b); }));
}

TEST(ReasonCatalogueTest, EachIsComplete) {
  for (const CatalogueReason& one : ReasonCatalogue()) {
    SCOPED_TRACE(one.reason);
    EXPECT_FALSE(one.reason.empty());
    EXPECT_TRUE(one.type == "Normal" || one.type == "Warning");
    EXPECT_TRUE(one.meaning.ends_with('.'));
    EXPECT_TRUE(one.action.ends_with('.'));
    EXPECT_FALSE(one.source.empty());
  }
}

TEST(ReasonCatalogueTest, SeverityIsNotTheType) {
  for (const char* component : {"kubelet", "node-controller"}) {
    const CatalogueReason* not_ready = Find(component, "NodeNotReady");
    ASSERT_NE(not_ready, nullptr) << component;
    EXPECT_EQ(not_ready->kind, "Node");
    EXPECT_EQ(not_ready->api_group, "");
    EXPECT_EQ(not_ready->type, "Normal");
    EXPECT_EQ(not_ready->severity, Severity::kCritical);
    EXPECT_TRUE(not_ready->IsCore());
    EXPECT_TRUE(not_ready->IsSeries());
  }
  const CatalogueReason* deprecated = Find("kubelet", "CgroupV1");
  ASSERT_NE(deprecated, nullptr);
  EXPECT_EQ(deprecated->type, "Warning");
  EXPECT_EQ(deprecated->severity, Severity::kInfo);
}

// The kinds that Kubernetes itself writes Events about, and how many of its
// series start at 0.
TEST(ReasonCatalogueTest, CoreSeriesAreFewAndAboutFourKinds) {
  std::set<std::string_view> kinds;
  size_t series = 0;
  for (const CatalogueReason& one : ReasonCatalogue()) {
    if (!one.IsCore() || !one.IsSeries()) continue;
    ++series;
    kinds.insert(one.kind);
    EXPECT_TRUE(
        IsBuiltInClusterKind(std::string(one.api_group) + "/v1", one.kind));
  }
  EXPECT_EQ(kinds,
            (std::set<std::string_view>{"IPAddress", "Node", "PersistentVolume",
                                        "ServiceCIDR"}));
  EXPECT_GT(series, 50U);
  EXPECT_LT(series, 100U);
}

TEST(ReasonCatalogueTest, AnAddOnHasAKindThatFindsIt) {
  const CatalogueReason* draining = Find("karpenter", "FailedDraining");
  ASSERT_NE(draining, nullptr);
  EXPECT_EQ(draining->source, "karpenter");
  EXPECT_EQ(draining->found_by_kind, "NodeClaim");
  EXPECT_EQ(draining->found_by_group, "karpenter.sh");
  EXPECT_FALSE(draining->IsCore());
  const CatalogueReason* owner =
      Find("garbage-collector-controller", "OwnerRefInvalidNamespace");
  ASSERT_NE(owner, nullptr);
  EXPECT_FALSE(owner->IsSeries()) << "it is about any kind";
}

TEST(ReasonCatalogueTest, ANamespacedObjectsIsNoSeries) {
  for (const CatalogueReason& one : ReasonCatalogue()) {
    if (!IsBuiltInNamespacedKind(std::string(one.api_group) + "/v1",
                                 one.kind)) {
      continue;
    }
    EXPECT_TRUE(one.namespaced) << one.reason;
    EXPECT_FALSE(one.IsSeries()) << one.reason;
  }
  const CatalogueReason* scale_up =
      Find("cluster-autoscaler", "FailedToScaleUpGroup");
  ASSERT_NE(scale_up, nullptr);
  EXPECT_EQ(scale_up->kind, "ConfigMap");
  EXPECT_TRUE(scale_up->namespaced);
}

TEST(ReasonCatalogueTest, FindsEachRow) {
  for (const CatalogueReason& one : ReasonCatalogue()) {
    EXPECT_EQ(FindReason({one.reason, one.type, one.kind, one.api_group,
                          one.component}),
              &one)
        << one.reason;
  }
}

TEST(ReasonCatalogueTest, FindsNoRowOfAnotherReasonTypeOrKind) {
  const ReasonKey key{"FailedMount", "Warning", "Pod", "", "kubelet"};
  ASSERT_NE(FindReason(key), nullptr);
  ReasonKey other = key;
  other.reason = "FailedMounts";
  EXPECT_EQ(FindReason(other), nullptr);
  other = key;
  other.type = "Normal";
  EXPECT_EQ(FindReason(other), nullptr);
  other = key;
  other.kind = "Node";
  EXPECT_EQ(FindReason(other), nullptr);
  other = key;
  other.api_group = "example.com";
  EXPECT_EQ(FindReason(other), nullptr);
}

TEST(ReasonCatalogueTest, FindsARowOfAnotherComponentIfThereIsNoBetter) {
  const CatalogueReason* scheduler = FindReason(
      {"FailedScheduling", "Warning", "Pod", "", "another-scheduler"});
  ASSERT_NE(scheduler, nullptr);
  EXPECT_EQ(scheduler->component, "default-scheduler");
  // Rows of any component and of persistentvolume-controller.
  const CatalogueReason* driver =
      FindReason({"ProvisioningFailed", "Warning", "PersistentVolumeClaim", "",
                  "driver.example.com"});
  ASSERT_NE(driver, nullptr);
  EXPECT_EQ(driver->source, "external-provisioner");
  // A row of any kind.
  EXPECT_NE(FindReason({"OwnerRefInvalidNamespace", "Warning", "Pod", "",
                        "garbage-collector-controller"}),
            nullptr);
}

}  // namespace
}  // namespace kem

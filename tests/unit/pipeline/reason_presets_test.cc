// Which known reasons start at 0, and when.

#include "pipeline/reason_presets.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include "events/discovery.h"
#include "pipeline/pipeline.h"
#include "testing/event_json.h"
#include "testing/fake_clock.h"
#include "testing/scripted_transport.h"

namespace kem {
namespace {

class ReasonPresetsTest : public testing::Test {
 protected:
  // What is due now: "kind.group reason type component".
  std::vector<std::string> Update() {
    std::vector<std::string> due;
    presets_.Update(scopes_, [&](const SeriesLabels& labels) {
      EXPECT_EQ(labels.scope, Scope::kCluster);
      EXPECT_EQ(labels.object_namespace, "");
      EXPECT_EQ(labels.object_name, "");
      due.push_back(
          std::string(labels.kind) + "." + std::string(labels.api_group) + " " +
          std::string(labels.reason) + " " + std::string(labels.type) + " " +
          std::string(labels.reporting_component));
      return labels.reason != refused_;
    });
    return due;
  }
  void Learn(std::vector<ApiKind> kinds) {
    ApiKinds found;
    found.kinds = std::move(kinds);
    scopes_.Learn(found);
  }
  static bool Has(const std::vector<std::string>& due, const char* line) {
    return std::find(due.begin(), due.end(), line) != due.end();
  }

  std::string_view refused_;
  FakeClock clock_;
  ScriptedTransport transport_;
  Discovery discovery_{transport_, clock_};
  ScopeResolver scopes_{discovery_, clock_};
  ReasonPresets presets_;
};

TEST_F(ReasonPresetsTest, KubernetesItselfNeedsNoDiscovery) {
  const auto due = Update();
  EXPECT_TRUE(Has(due, "Node. NodeNotReady Normal kubelet"));
  EXPECT_TRUE(Has(due, "Node. NodeNotReady Normal node-controller"));
  EXPECT_TRUE(Has(due,
                  "ServiceCIDR.networking.k8s.io KubernetesServiceCIDRError "
                  "Warning service-cidr-controller"));
  for (const std::string& line : due) {
    EXPECT_EQ(line.find("karpenter"), std::string::npos) << line;
  }
}

TEST_F(ReasonPresetsTest, EachOnce) {
  EXPECT_FALSE(Update().empty());
  EXPECT_TRUE(Update().empty());
  Learn({{"v1", "Node", false}});
  EXPECT_TRUE(Update().empty());
}

TEST_F(ReasonPresetsTest, WhatWasRefusedComesAgainWhenItShall) {
  refused_ = "Rebooted";
  Update();
  EXPECT_TRUE(Update().empty());
  presets_.TryAgain();
  EXPECT_EQ(Update(),
            std::vector<std::string>{"Node. Rebooted Warning kubelet"});
  refused_ = "";
  presets_.TryAgain();
  EXPECT_EQ(Update().size(), 1U);
  presets_.TryAgain();
  EXPECT_TRUE(Update().empty());
}

TEST_F(ReasonPresetsTest, AnAddOnsWhenItIsFoundHoweverLate) {
  Learn({{"v1", "Node", false}});
  Update();
  Learn({{"v1", "Node", false}, {"karpenter.sh/v1", "NodeClaim", false}});
  const auto due = Update();
  EXPECT_TRUE(Has(
      due,
      "NodeClaim.karpenter.sh InsufficientCapacityError Warning karpenter"));
  EXPECT_TRUE(Has(due, "Node. FailedDraining Warning karpenter"));
  EXPECT_FALSE(Has(due, "Node. NodeNotReady Normal kubelet"));
  // Another kind of it, which is not served.
  for (const std::string& line : due) {
    EXPECT_FALSE(line.starts_with("NodePool")) << line;
  }
  Learn({{"karpenter.sh/v1", "NodePool", false}});
  const auto later = Update();
  EXPECT_FALSE(later.empty());
  for (const std::string& line : later) {
    EXPECT_TRUE(line.starts_with("NodePool.karpenter.sh ")) << line;
  }
}

TEST_F(ReasonPresetsTest, AKindOfTheSameNameIsNotTheAddOns) {
  Learn({{"v1", "Node", false},
         {"example.com/v1", "NodeClaim", false},
         {"karpenter.sh/v1", "NodeClaim", true}});
  for (const std::string& line : Update()) {
    EXPECT_EQ(line.find("karpenter"), std::string::npos) << line;
  }
}

// Anyone who may write Events in a namespace can write such Events there.
TEST_F(ReasonPresetsTest, NamespacedObjectsHaveNone) {
  Learn({{"v1", "ConfigMap", true}, {"v1", "Service", true}});
  for (const std::string& line : Update()) {
    EXPECT_FALSE(line.starts_with("ConfigMap. ")) << line;
    EXPECT_FALSE(line.starts_with("Service. ")) << line;
  }
}

// Known reasons in the pipeline.
class PresetPipelineTest : public testing::Test {
 protected:
  void List() {
    pipeline.BeginList();
    pipeline.CommitList({100, WallTime(), false});
  }
  void Frame(std::string_view type, const EventJson& json) {
    pipeline.ApplyFrame(PaddedJson(json.Frame(type)).view());
  }
  std::string Render() {
    std::string out;
    SeriesTable::Cursor cursor;
    while (
        world.ledger.series().Render(cursor, 1 << 20, clock.SteadyNow(), out)) {
    }
    return out;
  }
  // The value of the first sample of `family` that has `label`.
  std::string Value(const std::string& family, std::string_view label) {
    std::istringstream lines(Render());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(family + "{") &&
          line.find(label) != std::string::npos) {
        return line.substr(line.rfind(' ') + 1);
      }
    }
    return "absent";
  }
  std::string Count(std::string_view label) {
    return Value("kube_event_occurrences_total", label);
  }
  std::string Active(std::string_view label) {
    return Value("kube_event_active", label);
  }
  size_t Shown(Family family) const {
    return world.ledger.series().Counts().shown[static_cast<size_t>(family)];
  }

  FakeClock clock;
  ScriptedTransport transport;
  Discovery discovery{transport, clock};
  Ledger ledger{{std::chrono::seconds(0), 50'000, std::chrono::hours(1)},
                Hasher()};
  EventWorld world{discovery, clock, std::chrono::hours(1), ledger};
  Pipeline pipeline{world, "", clock, {}};
};

constexpr const char* kNodeNotReady =
    R"(reason="NodeNotReady",type="Normal",)"
    R"(reporting_component="node-controller"} )";
constexpr const char* kNoCapacity = R"(kind="NodeClaim",object_namespace="",)"
                                    R"(reason="InsufficientCapacityError",)";

TEST_F(PresetPipelineTest, KnownReasonsStartAtZeroWithTheFirstListAndCountOn) {
  pipeline.LearnKinds();
  EXPECT_EQ(Render(), "");
  List();
  EXPECT_EQ(Count(kNodeNotReady), "0");
  EXPECT_EQ(Active(kNodeNotReady), "0");
  const auto before = Shown(Family::kOccurrences);
  EXPECT_LT(before, 100U);
  EXPECT_EQ(Shown(Family::kObjectOccurrences), 0U);
  EXPECT_EQ(Shown(Family::kLastSeen), 0U);
  Frame("ADDED", {.version = "101", .count = "2"});
  EXPECT_EQ(Count(kNodeNotReady), "2");
  EXPECT_EQ(Shown(Family::kOccurrences), before);
}

TEST_F(PresetPipelineTest, AnAddOnsReasonsStartWhenDiscoveryFindsIt) {
  List();
  EXPECT_EQ(Count(kNoCapacity), "absent");
  ApiKinds found;
  found.kinds = {{"karpenter.sh/v1", "NodeClaim", false}};
  world.scopes.Learn(found);
  // An unknown kind makes the pipeline run discovery again.
  Frame("ADDED",
        {.version = "101",
         .involved = R"({"kind":"X","name":"x","apiVersion":"x/v1"})"});
  EXPECT_EQ(Count(kNoCapacity), "0");
}

TEST_F(PresetPipelineTest, KnownReasonsStartWhenAFilterLetsThemThrough) {
  FilterOptions options;
  options.reasons.exclude = {"NodeNotReady"};
  world.filter = std::make_shared<const EventFilter>(options);
  List();
  EXPECT_EQ(Count(kNodeNotReady), "absent");
  EXPECT_EQ(Count("NodeReady"), "0");
  world.filter = std::make_shared<const EventFilter>(FilterOptions());
  List();
  EXPECT_EQ(Count(kNodeNotReady), "0");
}

// A known reason is about all objects of its kind. Which of them a list of
// names leaves is not known before their Events.
TEST_F(PresetPipelineTest, KnownReasonsStartWhateverNamesAFilterHas) {
  FilterOptions options;
  options.objects = {{"worker-1"}, {".*-2"}};
  options.namespaces = {{"shop"}, {}};
  options.reasons.exclude = {"NodeReady"};
  world.filter = std::make_shared<const EventFilter>(options);
  List();
  EXPECT_EQ(Count(kNodeNotReady), "0");
  EXPECT_EQ(Count(R"(kind="PersistentVolume")"), "0");
  EXPECT_EQ(Count("\"NodeReady\""), "absent");
  EXPECT_EQ(Shown(Family::kObjectOccurrences), 0U);
  const auto before = Shown(Family::kOccurrences);
  Frame("ADDED", {.version = "101", .count = "2"});
  Frame("ADDED", {.name = "other",
                  .version = "102",
                  .involved = R"({"kind":"Node","name":"worker-2"})",
                  .count = "5"});
  EXPECT_EQ(Count(kNodeNotReady), "2");
  EXPECT_EQ(Shown(Family::kOccurrences), before);
  EXPECT_EQ(Shown(Family::kObjectOccurrences), 1U);
}

TEST_F(PresetPipelineTest, NoKnownReasonsWhereNobodyWatchesTheirEvents) {
  world.preset_reasons = false;
  pipeline.LearnKinds();
  List();
  pipeline.LearnKinds();
  EXPECT_EQ(Render(), "");
}

}  // namespace
}  // namespace kem

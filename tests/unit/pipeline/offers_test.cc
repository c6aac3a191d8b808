// Which sinks get what lists and watch events contain.
#include <gmock/gmock.h>

#include "unit/pipeline/pipeline_fixture.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class OffersTest : public PipelineFixture {
 protected:
  OffersTest() { SetSinks({"Node", "PersistentVolume"}); }

  // One sink for each kind, with its name.
  void SetSinks(const std::vector<std::string>& kinds) {
    std::vector<Outbox::Sink> queues;
    world.sink_filters.clear();
    for (const std::string& kind : kinds) {
      queues.push_back({kind, 100, 100'000});
      FilterOptions options;
      options.kinds.include = {kind};
      world.sink_filters.push_back(
          std::make_shared<const EventFilter>(options));
    }
    ledger.SetSinks(queues);
  }
  static std::string About(const std::string& kind, const std::string& version,
                           const std::string& count) {
    EventJson json;
    json.name = kind;
    json.version = version;
    json.count = count;
    json.involved =
        R"({"apiVersion":"v1","kind":")" + kind + R"(","name":"a"})";
    return json.Object();
  }
  // Events about one Node. Of half of them only the number is kept.
  void StageMoreThanIsKept() { Stage(MoreThanIsKept()); }
  static std::vector<std::string> MoreThanIsKept() {
    std::vector<std::string> items;
    for (size_t i = 0; i < 2 * StagedOffers::kKept; ++i) {
      EventJson json;
      json.name = "node." + std::to_string(i);
      json.version = std::to_string(200 + i);
      json.involved = R"({"apiVersion":"v1","kind":"Node","name":"a"})";
      items.push_back(json.Object());
    }
    return items;
  }
  // The kind and the delta of what waits, in order.
  std::vector<std::pair<std::string, uint32_t>> Offered(size_t sink) {
    std::vector<std::pair<std::string, uint32_t>> offered;
    for (const auto& entry : ledger.Peek(sink, 100, 100'000)) {
      const auto told = DecodeOccurrence(entry->bytes);
      offered.emplace_back(told->kind, told->delta);
    }
    return offered;
  }
};

TEST_F(OffersTest, ABaselineAndARestoredEtcdOfferNothing) {
  List({About("Node", "90", "3")});
  Stage({About("Node", "20", "5")});
  Commit(/*new_epoch=*/true);
  EXPECT_THAT(Offered(0), IsEmpty());
}

TEST_F(OffersTest, WhatIsNewGoesToTheSinksThatMatch) {
  List({About("Node", "90", "3")});
  Frame(About("Node", "101", "5"), "MODIFIED");
  Stage({About("Node", "102", "9"), About("PersistentVolume", "103", "1")});
  EXPECT_THAT(Offered(0), ElementsAre(Pair("Node", 2U)));
  Commit();
  EXPECT_THAT(Offered(0), ElementsAre(Pair("Node", 2U), Pair("Node", 4U)));
  EXPECT_THAT(Offered(1), ElementsAre(Pair("PersistentVolume", 1U)));
}

TEST_F(OffersTest, AReloadDuringALargeListCountsDropsAgainstTheSameSinks) {
  List({About("PersistentVolume", "91", "1")});
  StageMoreThanIsKept();
  SetSinks({"Pod", "PersistentVolume", "Node"});
  Commit();
  EXPECT_EQ(ledger.outbox().size(0).dropped, 0U);
  EXPECT_EQ(ledger.outbox().size(1).dropped, 0U);
  // All but what the queue has room for.
  EXPECT_EQ(ledger.outbox().size(2).dropped, 2 * StagedOffers::kKept - 100);
}

TEST_F(OffersTest, WhatFollowsAReloadInALargeListIsForTheSinksItBeganWith) {
  List({About("PersistentVolume", "91", "1")});
  pipeline.BeginList();
  SetSinks({"Pod", "PersistentVolume", "Node"});
  for (const std::string& item : MoreThanIsKept()) {
    pipeline.StageItem(PaddedJson(item).view());
  }
  Commit();
  EXPECT_EQ(ledger.outbox().size(1).dropped, 0U);
  EXPECT_EQ(ledger.outbox().size(2).dropped, 2 * StagedOffers::kKept - 100);
}

TEST_F(OffersTest, ASinkThatAReloadRemovesDuringALargeListDropsNothing) {
  SetSinks({"Node", "Pod"});
  List({About("PersistentVolume", "91", "1")});
  StageMoreThanIsKept();
  SetSinks({"Pod"});
  Commit();
  EXPECT_EQ(ledger.outbox().size(0).dropped, 0U);
}

TEST_F(OffersTest, AReloadDuringAListChangesWhoGetsIt) {
  List({About("Node", "90", "3"), About("PersistentVolume", "91", "1")});
  Stage({About("Node", "102", "4"), About("PersistentVolume", "103", "6")});
  SetSinks({"Pod", "PersistentVolume", "Node"});
  Commit();
  EXPECT_THAT(Offered(0), IsEmpty());
  EXPECT_THAT(Offered(1), ElementsAre(Pair("PersistentVolume", 5U)));
  EXPECT_THAT(Offered(2), ElementsAre(Pair("Node", 1U)));
}

}  // namespace
}  // namespace kem

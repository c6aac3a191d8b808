// What of frames and lists is offered to which outlet.
#include <gmock/gmock.h>

#include "events/discovery.h"
#include "pipeline.h"
#include "testing/event_json.h"
#include "testing/fake_clock.h"
#include "testing/scripted_transport.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class OffersTest : public ::testing::Test {
 protected:
  OffersTest() {
    world.preset_reasons = false;
    SetOutlets({"Node", "PersistentVolume"});
  }

  // One outlet a kind, called so.
  void SetOutlets(const std::vector<std::string>& kinds) {
    std::vector<Outbox::Outlet> queues;
    world.outlet_filters.clear();
    for (const std::string& kind : kinds) {
      queues.push_back({kind, 100, 100'000});
      FilterOptions options;
      options.kinds.include = {kind};
      world.outlet_filters.push_back(
          std::make_shared<const EventFilter>(options));
    }
    ledger.SetOutlets(queues);
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
  void Stage(const std::vector<std::string>& items) {
    pipeline.BeginList();
    for (const std::string& item : items) {
      EXPECT_TRUE(pipeline.StageItem(PaddedJson(item).view()));
    }
  }
  void Commit(bool new_epoch = false) {
    pipeline.CommitList({100, WallTime(), new_epoch, false});
  }
  // The kind and the delta of what waits, in order.
  std::vector<std::pair<std::string, uint32_t>> Offered(size_t outlet) {
    std::vector<std::pair<std::string, uint32_t>> offered;
    for (const auto& entry : ledger.Peek(outlet, 100, 100'000)) {
      const auto told = DecodeOccurrence(entry->bytes);
      offered.emplace_back(told->kind, told->delta);
    }
    return offered;
  }

  FakeClock clock;
  ScriptedTransport transport;
  Discovery discovery{transport, clock};
  Ledger ledger{{std::chrono::seconds(0), 100, std::chrono::hours(1)},
                Hasher()};
  EventWorld world{discovery, clock, std::chrono::hours(1), ledger};
  Pipeline pipeline{world, "", clock, {}};
};

TEST_F(OffersTest, ABaselineAndARestoredEtcdOfferNothing) {
  Stage({About("Node", "90", "3")});
  Commit();
  Stage({About("Node", "20", "5")});
  Commit(/*new_epoch=*/true);
  EXPECT_THAT(Offered(0), IsEmpty());
}

TEST_F(OffersTest, WhatIsNewGoesToWhoWantsIt) {
  Stage({About("Node", "90", "3")});
  Commit();
  pipeline.ApplyFrame(PaddedJson(R"({"type":"MODIFIED","object":)" +
                                 About("Node", "101", "5") + "}")
                          .view());
  Stage({About("Node", "102", "9"), About("PersistentVolume", "103", "1")});
  EXPECT_THAT(Offered(0), ElementsAre(Pair("Node", 2U)));
  Commit();
  EXPECT_THAT(Offered(0), ElementsAre(Pair("Node", 2U), Pair("Node", 4U)));
  EXPECT_THAT(Offered(1), ElementsAre(Pair("PersistentVolume", 1U)));
}

TEST_F(OffersTest, AReloadDuringAListChangesWhoGetsIt) {
  Stage({About("Node", "90", "3"), About("PersistentVolume", "91", "1")});
  Commit();
  Stage({About("Node", "102", "4"), About("PersistentVolume", "103", "6")});
  SetOutlets({"Pod", "PersistentVolume", "Node"});
  Commit();
  EXPECT_THAT(Offered(0), IsEmpty());
  EXPECT_THAT(Offered(1), ElementsAre(Pair("PersistentVolume", 5U)));
  EXPECT_THAT(Offered(2), ElementsAre(Pair("Node", 1U)));
}

}  // namespace
}  // namespace kem

// Which outlets run, what is told of them, and what a change of them keeps.
#include "sinks/forwarder.h"

#include <gmock/gmock.h>

#include <condition_variable>

#include "testing/fake_clock.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// What the outlets of a test were given, and whether they take it.
struct Sink {
  void Take(const std::string& outlet, std::span<const Occurrence> batch) {
    const std::lock_guard guard(mutex);
    for (const Occurrence& one : batch) {
      taken.emplace_back(outlet, one.object_name);
    }
    changed.notify_all();
  }
  void WaitFor(size_t count) {
    std::unique_lock guard(mutex);
    changed.wait(guard, [&] { return taken.size() >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::string, std::string>> taken;
  bool open = true;
};

class FakeOutlet : public Outlet {
 public:
  FakeOutlet(std::string name, Sink& sink)
      : name_(std::move(name)), sink_(sink) {}
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override {
    if (sink_.open) {
      sink_.Take(name_, batch);
      return {.done = batch.size()};
    }
    // Stands still until it is told to stop.
    std::mutex mutex;
    std::unique_lock guard(mutex);
    std::condition_variable_any never;
    never.wait(guard, stop, [] { return false; });
    return {.problem = "stopped"};
  }
  size_t max_batch() const override { return 8; }

 private:
  const std::string name_;
  Sink& sink_;
};

class ForwarderTest : public ::testing::Test {
 protected:
  ForwarderTest() { clock.Advance(std::chrono::seconds(90)); }

  static OutletConfig Named(const std::string& name) {
    OutletConfig config;
    config.queue.name = name;
    return config;
  }
  void Set(const std::vector<OutletConfig>& outlets) {
    forwarder.Set(outlets,
                  [this](Forwarder::Filters all) { filters = std::move(all); });
  }
  void Offer(const std::string& object, uint32_t mask) {
    Occurrence occurrence;
    occurrence.object_name = object;
    occurrence.occurred_at = FakeClock().WallNow();
    const std::lock_guard guard(ledger.mutex());
    ledger.Offer(mask, EncodeOccurrence(occurrence));
    forwarder.Wake();
  }

  FakeClock clock;
  Sink sink;
  Ledger ledger{SeriesOptions(), Hasher()};
  Forwarder::Filters filters;
  int made = 0;
  Forwarder forwarder{ledger, clock,
                      [this](const OutletConfig& config,
                             OutletMemory& memory) -> std::unique_ptr<Outlet> {
                        ++made;
                        memory.Remember("made", config.queue.name);
                        return std::make_unique<FakeOutlet>(config.queue.name,
                                                            sink);
                      },
                      [] {}};
};

TEST_F(ForwarderTest, EachOutletIsHandedWhatIsItsOwn) {
  Set({Named("a"), Named("b")});
  EXPECT_EQ(filters.size(), 2U);
  Offer("x", 2);
  sink.WaitFor(1);
  Offer("y", 1);
  sink.WaitFor(2);
  forwarder.Stop();
  EXPECT_THAT(sink.taken, ElementsAre(Pair("b", "x"), Pair("a", "y")));
  const std::vector<OutletStatus> told = forwarder.Statuses();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].name, "a");
  EXPECT_EQ(told[0].kind, "log");
  EXPECT_EQ(told[0].delivered, 1U);
  EXPECT_EQ(told[0].queued, 0U);
  EXPECT_EQ(told[0].oldest_age.count(), 0);
}

TEST_F(ForwarderTest, NothingChangesWhereNothingWasChanged) {
  Set({Named("a")});
  Set({Named("a")});
  EXPECT_EQ(made, 1);
  Set({});
  EXPECT_THAT(forwarder.Statuses(), IsEmpty());
}

TEST_F(ForwarderTest, WhatWaitsIsToldAndPassesToTheOutletOfTheSameName) {
  sink.open = false;
  Set({Named("a")});
  Offer("x", 1);
  Offer("y", 1);
  const std::vector<OutletStatus> told = forwarder.Statuses();
  EXPECT_EQ(told.at(0).queued, 2U);
  EXPECT_EQ(told.at(0).oldest_age, std::chrono::seconds(90));
  forwarder.Stop();
  sink.open = true;
  OutletConfig other = Named("a");
  other.path = "/elsewhere";
  Set({Named("new"), other});
  sink.WaitFor(2);
  EXPECT_THAT(sink.taken, ElementsAre(Pair("a", "x"), Pair("a", "y")));
}

TEST_F(ForwarderTest, AnOutletRemembersUnderItsOwnName) {
  Set({Named("a")});
  Set({Named("b"), Named("a")});
  forwarder.Stop();
  EXPECT_THAT(ledger.outbox().memories(0), ElementsAre(Pair("made", "b")));
  EXPECT_THAT(ledger.outbox().memories(1), ElementsAre(Pair("made", "a")));
}

}  // namespace
}  // namespace kem

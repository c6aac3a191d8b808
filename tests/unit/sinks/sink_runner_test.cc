// Which sinks run, their status, and what a reload keeps.
#include "sinks/sink_runner.h"

#include <gmock/gmock.h>

#include <condition_variable>

#include "testing/fake_clock.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// Collects what the sinks of a test deliver.
struct Receiver {
  void Take(const std::string& sink, std::span<const Occurrence> batch) {
    const std::lock_guard guard(mutex);
    for (const Occurrence& one : batch) {
      taken.emplace_back(sink, one.object_name);
    }
    changed.notify_all();
  }
  // Waits for `count` occurrences; a test that needs them must not go on.
  bool WaitFor(size_t count) {
    std::unique_lock guard(mutex);
    return changed.wait_for(guard, std::chrono::seconds(60),
                            [&] { return taken.size() >= count; });
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::pair<std::string, std::string>> taken;
  bool open = true;
};

class FakeSink : public Sink {
 public:
  FakeSink(std::string name, Receiver& receiver)
      : name_(std::move(name)), receiver_(receiver) {}
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override {
    if (receiver_.open) {
      receiver_.Take(name_, batch);
      return {.done = batch.size()};
    }
    // Hangs until the stop.
    std::mutex mutex;
    std::unique_lock guard(mutex);
    std::condition_variable_any never;
    never.wait(guard, stop, [] { return false; });
    return Failed("stopped");
  }
  size_t max_batch() const override { return 8; }

 private:
  const std::string name_;
  Receiver& receiver_;
};

class SinkRunnerTest : public ::testing::Test {
 protected:
  SinkRunnerTest() { clock.Advance(std::chrono::seconds(90)); }

  static SinkConfig Named(const std::string& name) {
    SinkConfig config;
    config.queue.name = name;
    return config;
  }
  void Set(const std::vector<SinkConfig>& sinks) {
    runner.Set(sinks,
               [this](SinkRunner::Filters all) { filters = std::move(all); });
  }
  void Offer(const std::string& object, uint32_t mask) {
    Occurrence occurrence;
    occurrence.object_name = object;
    occurrence.occurred_at = FakeClock().WallNow();
    const std::lock_guard guard(ledger.mutex());
    ledger.Offer(mask, EncodeOccurrence(occurrence));
    runner.Wake();
  }

  FakeClock clock;
  Receiver receiver;
  Ledger ledger{SeriesOptions(), Hasher()};
  SinkRunner::Filters filters;
  int made = 0;
  SinkRunner runner{ledger, clock,
                    [this](const SinkConfig& config,
                           SinkMemory& memory) -> std::unique_ptr<Sink> {
                      ++made;
                      memory.Remember("made", config.queue.name);
                      return std::make_unique<FakeSink>(config.queue.name,
                                                        receiver);
                    },
                    [] {}};
};

TEST_F(SinkRunnerTest, EachSinkDeliversItsOwnQueue) {
  Set({Named("a"), Named("b")});
  EXPECT_EQ(filters.size(), 2U);
  Offer("x", 2);
  ASSERT_TRUE(receiver.WaitFor(1)) << "no delivery within a minute";
  Offer("y", 1);
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  runner.Stop();
  EXPECT_THAT(receiver.taken, ElementsAre(Pair("b", "x"), Pair("a", "y")));
  const std::vector<SinkStatus> status = runner.Statuses();
  ASSERT_EQ(status.size(), 2U);
  EXPECT_EQ(status[0].name, "a");
  EXPECT_EQ(status[0].type, "log");
  EXPECT_EQ(status[0].delivered, 1U);
  EXPECT_EQ(status[0].queued, 0U);
  EXPECT_EQ(status[0].oldest_age.count(), 0);
}

TEST_F(SinkRunnerTest, TheSameConfigurationKeepsTheSinks) {
  Set({Named("a")});
  Set({Named("a")});
  EXPECT_EQ(made, 1);
  Set({});
  EXPECT_THAT(runner.Statuses(), IsEmpty());
}

TEST_F(SinkRunnerTest, AQueuePassesToTheSinkOfTheSameName) {
  receiver.open = false;
  Set({Named("a")});
  Offer("x", 1);
  Offer("y", 1);
  const std::vector<SinkStatus> status = runner.Statuses();
  EXPECT_EQ(status.at(0).queued, 2U);
  EXPECT_EQ(status.at(0).oldest_age, std::chrono::seconds(90));
  runner.Stop();
  receiver.open = true;
  SinkConfig other = Named("a");
  other.path = "/elsewhere";
  Set({Named("new"), other});
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  EXPECT_THAT(receiver.taken, ElementsAre(Pair("a", "x"), Pair("a", "y")));
}

TEST_F(SinkRunnerTest, ASinksMemoryFollowsItsName) {
  Set({Named("a")});
  Set({Named("b"), Named("a")});
  runner.Stop();
  EXPECT_THAT(ledger.outbox().memories(0), ElementsAre(Pair("made", "b")));
  EXPECT_THAT(ledger.outbox().memories(1), ElementsAre(Pair("made", "a")));
}

}  // namespace
}  // namespace kem

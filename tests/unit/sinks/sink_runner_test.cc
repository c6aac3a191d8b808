// Which sinks run, their status, and what a reload keeps.
#include "sinks/sink_runner.h"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>

#include "testing/entry.h"
#include "testing/fake_clock.h"
#include "testing/no_threads.h"
#include "unit/sinks/deliveries.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::StartsWith;

// Collects what the sinks of a test deliver.
class Receiver {
 public:
  enum class Mode {
    kOpen,
    kMute,  // a delivery hangs until the sink's stop
    kDeaf,  // a delivery hangs until another mode, whatever stops
  };

  // False when the delivery failed.
  bool Take(const std::string& sink, std::span<const Occurrence> batch,
            const std::stop_token& stop) {
    std::unique_lock guard(mutex_);
    ++deliveries_;
    changed_.notify_all();
    if (mode_ == Mode::kMute) {
      changed_.wait(guard, stop, [] { return false; });
      return false;
    }
    const bool failed = mode_ == Mode::kDeaf;
    changed_.wait(guard, [this] { return mode_ != Mode::kDeaf; });
    if (failed) return false;
    for (const Occurrence& one : batch) {
      taken_.emplace_back(sink, one.object_name);
    }
    changed_.notify_all();
    return true;
  }
  void Set(Mode mode) {
    const std::lock_guard guard(mutex_);
    mode_ = mode;
    changed_.notify_all();
  }
  void AwaitDelivery() {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [this] { return deliveries_ > 0; });
  }
  // Waits for `count` occurrences; a test that needs them must not go on.
  bool WaitFor(size_t count) {
    std::unique_lock guard(mutex_);
    return changed_.wait_for(guard, std::chrono::seconds(60),
                             [&] { return taken_.size() >= count; });
  }
  std::vector<std::pair<std::string, std::string>> taken() const {
    const std::lock_guard guard(mutex_);
    return taken_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::pair<std::string, std::string>> taken_;
  int deliveries_ = 0;  // begun
  Mode mode_ = Mode::kOpen;
};

using Mode = Receiver::Mode;

// Its occurrences arrive under the name of its path.
class ReceiverSink : public Sink {
 public:
  ReceiverSink(std::string name, Receiver& receiver, std::atomic<int>& alive)
      : name_(std::move(name)), receiver_(receiver), alive_(alive) {
    ++alive_;
  }
  ~ReceiverSink() override { --alive_; }
  Delivery Deliver(std::span<const Occurrence> batch,
                   const std::stop_token& stop) override {
    if (receiver_.Take(name_, batch, stop)) return {.done = batch.size()};
    return Failed("stopped");
  }
  size_t max_batch() const override { return 8; }

 private:
  const std::string name_;
  Receiver& receiver_;
  std::atomic<int>& alive_;
};

class SinkRunnerTest : public ::testing::Test {
 protected:
  SinkRunnerTest() { clock.Advance(std::chrono::seconds(90)); }
  ~SinkRunnerTest() override { receiver.Set(Mode::kOpen); }

  static SinkConfig Named(const std::string& name,
                          const std::string& path = "") {
    SinkConfig config;
    config.queue.name = name;
    config.path = path.empty() ? name : path;
    return config;
  }
  Result<void> Set(const std::vector<SinkConfig>& sinks) {
    return runner.Set(
        sinks, [this](SinkRunner::Filters all) { filters = std::move(all); });
  }
  void Offer(const std::string& object, uint32_t mask) {
    Occurrence occurrence;
    occurrence.object_name = object;
    occurrence.occurred_at = FakeClock().WallNow();
    const std::lock_guard guard(ledger.mutex());
    ledger.Offer(mask, EntryOf(occurrence));
    runner.Wake();
  }
  bool Stop() { return runner.Stop(std::chrono::seconds(60)); }

  FakeClock clock;
  Receiver receiver;
  Ledger ledger{SeriesOptions(), Hasher()};
  SinkRunner::Filters filters;
  std::atomic<int> made = 0;
  std::atomic<int> alive = 0;
  std::atomic<int> most_alive = 0;
  SinkRunner runner{ledger,
                    clock,
                    [this](const SinkConfig& config, SinkMemory& memory,
                           SinkStats&) -> std::unique_ptr<Sink> {
                      ++made;
                      memory.Remember("made", config.queue.name);
                      auto sink = std::make_unique<ReceiverSink>(
                          config.path, receiver, alive);
                      if (alive > most_alive) most_alive = alive.load();
                      return sink;
                    },
                    {[] {}}};
};

TEST_F(SinkRunnerTest, EachSinkDeliversItsOwnQueue) {
  EXPECT_TRUE(Set({Named("a"), Named("b")}));
  EXPECT_EQ(filters.size(), 2U);
  Offer("x", 2);
  ASSERT_TRUE(receiver.WaitFor(1)) << "no delivery within a minute";
  Offer("y", 1);
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  EXPECT_TRUE(Stop());
  EXPECT_THAT(receiver.taken(), ElementsAre(Pair("b", "x"), Pair("a", "y")));
  const std::vector<SinkStatus> status = runner.Statuses();
  ASSERT_EQ(status.size(), 2U);
  EXPECT_EQ(status[0].name, "a");
  EXPECT_EQ(status[0].type, "log");
  EXPECT_EQ(status[0].delivered, 1U);
  EXPECT_EQ(status[0].queued, 0U);
  EXPECT_EQ(status[0].oldest_age.count(), 0);
}

TEST_F(SinkRunnerTest, ASinkWithTheSameConfigurationContinues) {
  EXPECT_TRUE(Set({Named("a"), Named("b")}));
  Offer("x", 3);
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  EXPECT_EQ(made, 2);
  EXPECT_TRUE(Set({Named("a"), Named("b")}));
  EXPECT_TRUE(Set({Named("new"), Named("b")}));
  Offer("y", 3);
  ASSERT_TRUE(receiver.WaitFor(4)) << "no delivery within a minute";
  EXPECT_EQ(made, 3);
  EXPECT_EQ(runner.Statuses().at(1).name, "b");
  EXPECT_EQ(ledger.outbox().Find("a"), std::nullopt);
  EXPECT_TRUE(Set({}));
  EXPECT_THAT(runner.Statuses(), IsEmpty());
}

TEST_F(SinkRunnerTest, AQueuePassesToTheSinkOfTheSameName) {
  receiver.Set(Mode::kMute);
  EXPECT_TRUE(Set({Named("a")}));
  Offer("x", 1);
  receiver.AwaitDelivery();
  Offer("y", 1);
  const std::vector<SinkStatus> status = runner.Statuses();
  EXPECT_EQ(status.at(0).queued, 2U);
  EXPECT_EQ(status.at(0).oldest_age, std::chrono::seconds(90));
  receiver.Set(Mode::kOpen);
  EXPECT_TRUE(Set({Named("new"), Named("a", "elsewhere")}));
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  EXPECT_THAT(receiver.taken(),
              ElementsAre(Pair("elsewhere", "x"), Pair("elsewhere", "y")));
}

TEST_F(SinkRunnerTest, AReloadWaitsForNoSinkAndTheNextSinkDoes) {
  receiver.Set(Mode::kDeaf);
  EXPECT_TRUE(Set({Named("a", "one"), Named("b", "other")}));
  Offer("x", 1);
  receiver.AwaitDelivery();
  // Each returns although the sink hangs; only the last one takes effect.
  EXPECT_TRUE(Set({Named("a", "two"), Named("b", "other")}));
  EXPECT_TRUE(Set({}));
  EXPECT_TRUE(Set({Named("b", "other"), Named("a", "three")}));
  EXPECT_EQ(runner.Statuses().at(1).name, "a");
  Offer("y", 2);
  EXPECT_FALSE(runner.Statuses().empty());
  receiver.Set(Mode::kOpen);
  ASSERT_TRUE(receiver.WaitFor(1)) << "no delivery within a minute";
  // The queue of x went with the second reload.
  EXPECT_THAT(receiver.taken(), ElementsAre(Pair("three", "y")));
  EXPECT_TRUE(Stop());
  EXPECT_EQ(alive, 0);
}

TEST_F(SinkRunnerTest, TwoSinksOfOneNameNeverRunAtOnce) {
  receiver.Set(Mode::kDeaf);
  EXPECT_TRUE(Set({Named("a", "0")}));
  Offer("x", 1);
  receiver.AwaitDelivery();
  for (int i = 1; i < 100; ++i) {
    EXPECT_TRUE(Set({Named("a", std::to_string(i))}));
  }
  EXPECT_EQ(made, 1);
  receiver.Set(Mode::kOpen);
  ASSERT_TRUE(receiver.WaitFor(1)) << "no delivery within a minute";
  EXPECT_THAT(receiver.taken(), ElementsAre(Pair("99", "x")));
  EXPECT_EQ(made, 2);
  EXPECT_EQ(most_alive, 1);
}

TEST_F(SinkRunnerTest, AStopDoesNotWaitForASinkThatHangs) {
  receiver.Set(Mode::kDeaf);
  EXPECT_TRUE(Set({Named("a")}));
  Offer("x", 1);
  receiver.AwaitDelivery();
  EXPECT_FALSE(runner.Stop(std::chrono::milliseconds(0)));
  EXPECT_EQ(runner.Statuses().at(0).queued, 1U);
  receiver.Set(Mode::kOpen);
  EXPECT_TRUE(Stop());
  EXPECT_EQ(runner.Statuses().at(0).queued, 1U);
  const Result<void> late = Set({Named("a")});
  EXPECT_FALSE(late);
  EXPECT_EQ(late.error().message, "the exporter is stopping");
}

TEST_F(SinkRunnerTest, WithoutAThreadNothingChanges) {
  EXPECT_TRUE(Set({Named("a")}));
  Offer("x", 1);
  ASSERT_TRUE(receiver.WaitFor(1)) << "no delivery within a minute";
  {
    const NoThreads none;
    const Result<void> set = Set({Named("b"), Named("a", "other")});
    ASSERT_FALSE(set);
    EXPECT_THAT(set.error().message, StartsWith("cannot start a thread: "));
    // Known names need no new thread.
    EXPECT_TRUE(Set({Named("a")}));
  }
  EXPECT_EQ(filters.size(), 1U);
  EXPECT_EQ(runner.Statuses().size(), 1U);
  Offer("y", 1);
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  EXPECT_THAT(receiver.taken(), ElementsAre(Pair("a", "x"), Pair("a", "y")));
  EXPECT_EQ(made, 1);
  EXPECT_TRUE(Set({Named("b"), Named("a")}));
}

TEST_F(SinkRunnerTest, ASinksMemoryFollowsItsName) {
  EXPECT_TRUE(Set({Named("a")}));
  EXPECT_TRUE(Set({Named("b"), Named("a")}));
  Offer("x", 3);
  ASSERT_TRUE(receiver.WaitFor(2)) << "no delivery within a minute";
  EXPECT_TRUE(Stop());
  EXPECT_THAT(ledger.outbox().memories(0), ElementsAre(Pair("made", "b")));
  EXPECT_THAT(ledger.outbox().memories(1), ElementsAre(Pair("made", "a")));
}

}  // namespace
}  // namespace kem

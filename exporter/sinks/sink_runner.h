// All sinks of the process: builds them from the configuration, gives each a
// thread, and builds them anew after a reload. Used by the app. What waits is
// the ledger's, so that nothing is lost between two of them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "events/event_filter.h"
#include "sinks/sink.h"
#include "sinks/sink_config.h"
#include "sinks/sink_worker.h"
#include "state/ledger.h"

namespace kem {

struct SinkStatus {
  std::string name;
  std::string_view type;
  uint64_t delivered = 0;
  uint64_t refused = 0;
  uint64_t failed_attempts = 0;
  uint64_t retries = 0;
  uint64_t dropped = 0;  // for want of room
  size_t queued = 0;
  size_t queued_bytes = 0;
  // Since the oldest occurrence that waits; 0 when none does, and for one that
  // is yet to come by our clock.
  std::chrono::milliseconds oldest_age{0};
};

// Makes the sink that `config` describes. The memory outlives it.
using SinkFactory = std::function<std::unique_ptr<Sink>(
    const SinkConfig& config, SinkMemory& memory)>;

class SinkRunner {
 public:
  // `make` is called by Set, `flush` by the sinks' threads after each batch.
  // All must outlive this.
  SinkRunner(Ledger& ledger, Clock& clock, SinkFactory make,
             std::function<void()> flush);
  ~SinkRunner();
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;

  // These are the sinks from now on. Ends the threads of those before, which
  // takes as long as their receivers let them, but for the first time and where
  // nothing changed. Calls `swap_filters`, under the ledger's mutex, with what
  // each sink wants. Thread-safe.
  using Filters = std::vector<std::shared_ptr<const EventFilter>>;
  void Set(const std::vector<SinkConfig>& sinks,
           const std::function<void(Filters)>& swap_filters);
  // Ends all threads; what waits stays where it is.
  void Stop();

  // Something was offered. Thread-safe, and may be called under the ledger's
  // mutex.
  void Wake() { bell_.Ring(); }

  // One for each sink, in the order of the configuration. Takes the ledger's
  // mutex, and never waits for a receiver. Thread-safe.
  std::vector<SinkStatus> Statuses() const;

 private:
  struct Running {
    SinkConfig config;
    std::shared_ptr<SinkStats> stats;
    std::unique_ptr<SinkMemory> memory;
    std::unique_ptr<Sink> sink;
    std::unique_ptr<SinkWorker> worker;
    std::jthread thread;
  };
  struct Shown {
    std::string name;
    SinkType type;
    std::shared_ptr<const SinkStats> stats;
  };

  static void End(std::vector<Running>& running);
  void Start(size_t index, const SinkConfig& config,
             std::shared_ptr<SinkStats> stats);

  Ledger& ledger_;
  Clock& clock_;
  const SinkFactory make_;
  const std::function<void()> flush_;
  SinkBell bell_;
  std::mutex mutex_;              // held while threads are waited for
  std::vector<Running> running_;  // guarded by mutex_
  std::vector<Shown> shown_;      // guarded by the ledger's mutex
};

}  // namespace kem

// All sinks of the process: creates them from the configuration, runs each on a
// thread, and replaces them after a reload. Used by the app. The queues are in
// the ledger, so that a reload loses nothing.
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

class Discovery;
class HttpTransport;

struct SinkStatus {
  std::string name;
  std::string_view type;
  uint64_t delivered = 0;
  uint64_t refused = 0;
  uint64_t failed_attempts = 0;
  uint64_t retries = 0;
  uint64_t dropped = 0;  // because the queue was full
  size_t queued = 0;
  size_t queued_bytes = 0;
  // Age of the oldest queued occurrence; 0 for an empty queue and for a time in
  // the future.
  std::chrono::milliseconds oldest_age{0};
};

// Creates the sink of `config`. The memory outlives it.
using SinkFactory = std::function<std::unique_ptr<Sink>(
    const SinkConfig& config, SinkMemory& memory)>;

// For all types (sink_factory.cc). `api` and `discovery` are for the sinks that
// write to the API server. All must outlive the factory and its sinks.
SinkFactory MakeSinkFactory(HttpTransport& api, const Discovery& discovery,
                            Clock& clock);

class SinkRunner {
 public:
  // `make` is called by Set, `flush` by the sinks' threads after each batch.
  // All must outlive this.
  SinkRunner(Ledger& ledger, Clock& clock, SinkFactory make,
             std::function<void()> flush);
  ~SinkRunner();
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;

  // Replaces the sinks, unless nothing changed. Joins the threads of the former
  // ones, which takes as long as their receivers need. Calls `swap_filters`
  // with the filter of each sink, under the ledger's mutex. Thread-safe.
  using Filters = std::vector<std::shared_ptr<const EventFilter>>;
  void Set(const std::vector<SinkConfig>& sinks,
           const std::function<void(Filters)>& swap_filters);
  // Joins all threads; the queues stay in the ledger.
  void Stop();

  // Call after an occurrence was queued, with or without the ledger's mutex.
  // Thread-safe.
  void Wake() { signal_.Notify(); }

  // One per sink, in the order of the configuration. Locks the ledger's mutex,
  // and never waits for a receiver. Thread-safe.
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
  SinkSignal signal_;
  std::mutex mutex_;              // held while threads are joined
  std::vector<Running> running_;  // guarded by mutex_
  std::vector<Shown> shown_;      // guarded by the ledger's mutex
};

}  // namespace kem

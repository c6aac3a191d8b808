// All sinks of the process: creates them from the configuration, runs each on a
// thread, and replaces them after a reload. Used by the app. The queues are in
// the ledger, so that a reload loses nothing. Waits for no receiver: a sink
// that hangs delays only the next sink of its name.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "events/event_filter.h"
#include "sinks/sink.h"
#include "sinks/sink_config.h"
#include "sinks/sink_worker.h"
#include "state/ledger.h"

namespace kem {

class ApiTransport;
class Discovery;
class HistoryStatus;
class Resolver;

struct SinkStatus {
  std::string name;
  std::string_view type;
  uint64_t delivered = 0;
  uint64_t refused = 0;
  uint64_t failed_attempts = 0;
  uint64_t retries = 0;
  uint64_t connections = 0;
  uint64_t dropped = 0;  // because the queue was full
  size_t queued = 0;
  size_t queued_bytes = 0;
  // Age of the oldest queued occurrence; 0 for an empty queue and for a time in
  // the future.
  std::chrono::milliseconds oldest_age{0};

  double oldest_age_seconds() const {
    return std::chrono::duration<double>(oldest_age).count();
  }
};

// Creates the sink of `config`, on the sink's thread. Memory and stats outlive
// it. Thread-safe.
using SinkFactory = std::function<std::unique_ptr<Sink>(
    const SinkConfig& config, SinkMemory& memory, SinkStats& stats)>;

// For all types (sink_factory.cc). `api` and `discovery` are for the sinks that
// write to the API server, `resolver` for collectors, `history` for the state
// of the one sink of that type. Each sink keeps a connection of its own. All
// must outlive the factory and its sinks.
SinkFactory MakeSinkFactory(const ApiTransport& api, const Discovery& discovery,
                            Resolver& resolver, HistoryStatus& history,
                            Clock& clock);

class SinkRunner {
 public:
  struct Options {
    // Called by the sinks' threads after each batch.
    std::function<void()> flush = {};
    // For the types that must deliver once. Null without replicas.
    DeliveryTurn* turn = nullptr;
    bool watches_namespaces = false;
  };
  // `make` is called by the sinks' threads. All must outlive this.
  SinkRunner(Ledger& ledger, Clock& clock, SinkFactory make, Options options);
  // Joins all threads, which takes as long as the receivers need.
  ~SinkRunner();
  SinkRunner(const SinkRunner&) = delete;
  SinkRunner& operator=(const SinkRunner&) = delete;

  // Replaces the sinks; one whose configuration is the same continues. Requests
  // the stop of a former sink and does not wait for it. The next one of its
  // name starts after its end, so that occurrences stay in order. Calls
  // `swap_filters` with the filter of each sink, under the ledger's mutex.
  // After an error nothing has changed; after Stop there is always one.
  // Thread-safe, does not block.
  using Filters = std::vector<std::shared_ptr<const EventFilter>>;
  Result<void> Set(const std::vector<SinkConfig>& sinks,
                   const std::function<void(Filters)>& swap_filters);
  // Stops all sinks after they have delivered what waits, for which they have
  // half of `patience`; the rest stays in the ledger. False when after
  // `patience` some have not ended: they still use the ledger.
  bool Stop(std::chrono::milliseconds patience);

  // Call after an occurrence was queued, with or without the ledger's mutex.
  // Thread-safe.
  void Wake() { signal_.Notify(); }

  // One per sink, in the order of the configuration. Locks the ledger's mutex,
  // and never waits for a receiver. Thread-safe.
  std::vector<SinkStatus> Statuses() const;

 private:
  struct Job {
    SinkConfig config;
    std::shared_ptr<SinkStats> stats;
  };
  // The thread of all sinks of one name, one after the other. Guarded by
  // mutex_.
  struct Lane {
    std::optional<Job> wanted;  // none after its removal
    bool waits = false;         // `wanted` is not started yet
    bool ended = false;         // the thread takes no further job
    std::stop_source finish;    // of the sink that runs
    std::stop_source stop;      // at once
    std::jthread thread;
  };
  struct Shown {
    std::string name;
    SinkType type;
    std::shared_ptr<const SinkStats> stats;
  };

  Result<void> StartLanes(const std::vector<SinkConfig>& sinks);
  void RunLane(Lane& lane);
  void RunSink(const Job& job, const std::stop_token& finish,
               const std::stop_token& stop);
  static void Withdraw(Lane& lane);
  void JoinEnded();

  Ledger& ledger_;
  Clock& clock_;
  const SinkFactory make_;
  const Options options_;
  SinkSignal signal_;
  std::mutex mutex_;  // locked before the ledger's
  std::condition_variable ended_;
  std::map<std::string, Lane> lanes_;  // by name; guarded by mutex_
  bool stopped_ = false;               // guarded by mutex_
  std::vector<Shown> shown_;           // guarded by the ledger's mutex
};

}  // namespace kem

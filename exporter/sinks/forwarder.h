// All outlets of the process: builds them from the configuration, gives each a
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
#include "sinks/outlet.h"
#include "sinks/outlet_config.h"
#include "sinks/outlet_worker.h"
#include "state/ledger.h"

namespace kem {

struct OutletStatus {
  std::string name;
  std::string_view kind;
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

class Forwarder {
 public:
  // The memory lives as long as the outlet.
  using MakeOutlet = std::function<std::unique_ptr<Outlet>(const OutletConfig&,
                                                           OutletMemory&)>;

  // `make` is called by Set, `flush` by the outlets' threads after each batch.
  // All must outlive this.
  Forwarder(Ledger& ledger, Clock& clock, MakeOutlet make,
            std::function<void()> flush);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  // These are the outlets from now on. Ends the threads of those before, which
  // takes as long as their sinks let them, but for the first time and where
  // nothing changed. Calls `swap_filters`, under the ledger's mutex, with what
  // each outlet wants. Thread-safe.
  using Filters = std::vector<std::shared_ptr<const EventFilter>>;
  void Set(const std::vector<OutletConfig>& outlets,
           const std::function<void(Filters)>& swap_filters);
  // Ends all threads; what waits stays where it is.
  void Stop();

  // Something was offered. Thread-safe, and may be called under the ledger's
  // mutex.
  void Wake() { bell_.Ring(); }

  // One for each outlet, in the order of the configuration. Takes the ledger's
  // mutex, and never waits for a sink. Thread-safe.
  std::vector<OutletStatus> Statuses() const;

 private:
  struct Running {
    OutletConfig config;
    std::shared_ptr<OutletStats> stats;
    std::unique_ptr<OutletMemory> memory;
    std::unique_ptr<Outlet> outlet;
    std::unique_ptr<OutletWorker> worker;
    std::jthread thread;
  };
  struct Shown {
    std::string name;
    OutletKind kind;
    std::shared_ptr<const OutletStats> stats;
  };

  static void End(std::vector<Running>& running);
  void Start(size_t index, const OutletConfig& config,
             std::shared_ptr<OutletStats> stats);

  Ledger& ledger_;
  Clock& clock_;
  const MakeOutlet make_;
  const std::function<void()> flush_;
  OutletBell bell_;
  std::mutex mutex_;              // held while threads are waited for
  std::vector<Running> running_;  // guarded by mutex_
  std::vector<Shown> shown_;      // guarded by the ledger's mutex
};

}  // namespace kem

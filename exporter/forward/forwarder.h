// All outlets of the process: builds them from the configuration, gives each a
// thread, and builds them anew after a reload. Used by the app. What waits is
// the ledger's, so that nothing is lost between two of them.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "events/event_filter.h"
#include "forward/outlet.h"
#include "forward/outlet_config.h"
#include "forward/outlet_worker.h"
#include "state/ledger.h"

namespace kem {

class Forwarder {
 public:
  using MakeOutlet =
      std::function<std::unique_ptr<Outlet>(const OutletConfig&)>;

  // `make` is called by Set. All must outlive this.
  Forwarder(Ledger& ledger, Clock& clock, MakeOutlet make);
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

  struct Status {
    std::string name;
    uint64_t delivered = 0;
    uint64_t refused = 0;
    uint64_t failed_attempts = 0;
    Outbox::Size queue;
  };
  // In the order of the configuration. Thread-safe.
  std::vector<Status> statuses() const;

 private:
  struct Running {
    OutletConfig config;
    std::shared_ptr<OutletStats> stats;
    std::unique_ptr<Outlet> outlet;
    std::unique_ptr<OutletWorker> worker;
    std::jthread thread;
  };

  Ledger& ledger_;
  Clock& clock_;
  const MakeOutlet make_;
  OutletBell bell_;
  mutable std::mutex mutex_;
  std::vector<Running> running_;  // guarded by mutex_
};

}  // namespace kem

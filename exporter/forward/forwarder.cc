#include "forward/forwarder.h"

#include <algorithm>
#include <utility>

#include "base/random.h"

namespace kem {

Forwarder::Forwarder(Ledger& ledger, Clock& clock, MakeOutlet make)
    : ledger_(ledger), clock_(clock), make_(std::move(make)) {}

Forwarder::~Forwarder() { Stop(); }

void Forwarder::Set(const std::vector<OutletConfig>& outlets,
                    const std::function<void(Filters)>& swap_filters) {
  const std::lock_guard guard(mutex_);
  if (std::equal(running_.begin(), running_.end(), outlets.begin(),
                 outlets.end(),
                 [](const Running& one, const auto& config) {
                   return one.config == config;
                 }) &&
      !running_.empty()) {
    return;
  }
  for (Running& one : running_) one.thread.request_stop();
  std::vector<Running> before = std::exchange(running_, {});
  for (Running& one : before) one.thread.join();
  Filters filters;
  std::vector<Outbox::Outlet> queues;
  for (const OutletConfig& config : outlets) {
    filters.push_back(std::make_shared<const EventFilter>(config.filter));
    queues.push_back(config.queue);
  }
  {
    const std::lock_guard counting(ledger_.mutex());
    ledger_.SetOutlets(queues);
    swap_filters(std::move(filters));
  }
  for (size_t i = 0; i < outlets.size(); ++i) {
    Running& one = running_.emplace_back();
    one.config = outlets[i];
    for (const Running& other : before) {
      if (other.config.queue.name == one.config.queue.name) {
        one.stats = other.stats;
      }
    }
    if (!one.stats) one.stats = std::make_shared<OutletStats>();
    one.outlet = make_(one.config);
    one.worker = std::make_unique<OutletWorker>(
        ledger_, i, *one.outlet, *one.stats,
        OutletWorker::Environment{clock_, MakeRandomUnit(), bell_});
    one.thread = std::jthread([worker = one.worker.get()](
                                  std::stop_token stop) { worker->Run(stop); });
  }
}

void Forwarder::Stop() {
  const std::lock_guard guard(mutex_);
  for (Running& one : running_) one.thread.request_stop();
  running_.clear();
}

std::vector<Forwarder::Status> Forwarder::statuses() const {
  const std::lock_guard guard(mutex_);
  const std::lock_guard counting(ledger_.mutex());
  std::vector<Status> all;
  for (size_t i = 0; i < running_.size(); ++i) {
    const OutletStats& stats = *running_[i].stats;
    all.push_back({running_[i].config.queue.name, stats.delivered,
                   stats.refused, stats.failed_attempts,
                   ledger_.outbox().size(i)});
  }
  return all;
}

}  // namespace kem

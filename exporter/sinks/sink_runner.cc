#include "sinks/sink_runner.h"

#include <algorithm>
#include <utility>

#include "base/random.h"

namespace kem {
namespace {

using std::chrono::milliseconds;

class LedgerMemory : public SinkMemory {
 public:
  LedgerMemory(Ledger& ledger, size_t index) : ledger_(ledger), index_(index) {}

  bool Remember(std::string_view name, std::string_view text) override {
    const std::lock_guard guard(ledger_.mutex());
    return ledger_.Remember(index_, name, text);
  }
  std::map<std::string, std::string> All() const override {
    const std::lock_guard guard(ledger_.mutex());
    const Outbox::Memories& all = ledger_.outbox().memories(index_);
    return {all.begin(), all.end()};
  }

 private:
  Ledger& ledger_;
  const size_t index_;
};

}  // namespace

SinkRunner::SinkRunner(Ledger& ledger, Clock& clock, SinkFactory make,
                       std::function<void()> flush)
    : ledger_(ledger),
      clock_(clock),
      make_(std::move(make)),
      flush_(std::move(flush)) {}

SinkRunner::~SinkRunner() { Stop(); }

void SinkRunner::Set(const std::vector<SinkConfig>& sinks,
                     const std::function<void(Filters)>& swap_filters) {
  const std::lock_guard guard(mutex_);
  if (std::equal(running_.begin(), running_.end(), sinks.begin(), sinks.end(),
                 [](const Running& one, const auto& config) {
                   return one.config == config;
                 }) &&
      !running_.empty()) {
    return;
  }
  End(running_);
  const std::vector<Running> before = std::exchange(running_, {});
  Filters filters;
  std::vector<Outbox::Sink> queues;
  std::vector<std::shared_ptr<SinkStats>> stats;
  std::vector<Shown> shown;
  for (const SinkConfig& config : sinks) {
    filters.push_back(std::make_shared<const EventFilter>(config.filter));
    queues.push_back(config.queue);
    const auto same = std::find_if(
        before.begin(), before.end(), [&config](const Running& other) {
          return other.config.queue.name == config.queue.name &&
                 other.config.type == config.type;
        });
    stats.push_back(same != before.end() ? same->stats
                                         : std::make_shared<SinkStats>());
    shown.push_back({config.queue.name, config.type, stats.back()});
  }
  {
    const std::lock_guard counting(ledger_.mutex());
    ledger_.SetSinks(queues);
    shown_ = std::move(shown);
    swap_filters(std::move(filters));
  }
  for (size_t i = 0; i < sinks.size(); ++i) Start(i, sinks[i], stats[i]);
}

void SinkRunner::Start(size_t index, const SinkConfig& config,
                       std::shared_ptr<SinkStats> stats) {
  Running& one = running_.emplace_back();
  one.config = config;
  one.stats = std::move(stats);
  one.memory = std::make_unique<LedgerMemory>(ledger_, index);
  one.sink = make_(one.config, *one.memory);
  one.worker = std::make_unique<SinkWorker>(
      ledger_, index, *one.sink, *one.stats,
      SinkWorker::Environment{clock_, MakeRandomUnit(), signal_, flush_});
  one.thread = std::jthread(
      [worker = one.worker.get()](std::stop_token stop) { worker->Run(stop); });
}

void SinkRunner::End(std::vector<Running>& running) {
  for (Running& one : running) one.thread.request_stop();
  for (Running& one : running) {
    if (one.thread.joinable()) one.thread.join();
  }
}

void SinkRunner::Stop() {
  const std::lock_guard guard(mutex_);
  End(running_);
}

std::vector<SinkStatus> SinkRunner::Statuses() const {
  std::vector<SinkStatus> all;
  const std::lock_guard guard(ledger_.mutex());
  for (size_t i = 0; i < shown_.size(); ++i) {
    const SinkStats& stats = *shown_[i].stats;
    const Outbox::Size size = ledger_.outbox().size(i);
    SinkStatus& one = all.emplace_back();
    one.name = shown_[i].name;
    one.type = NameOf(shown_[i].type);
    one.delivered = stats.delivered;
    one.refused = stats.refused;
    one.failed_attempts = stats.failed_attempts;
    one.retries = stats.retries;
    one.dropped = size.dropped;
    one.queued = size.entries;
    one.queued_bytes = size.bytes;
    if (size.oldest == nullptr) continue;
    const auto occurrence = DecodeOccurrence(size.oldest->bytes);
    if (!occurrence) continue;
    one.oldest_age = std::max(milliseconds(0),
                              std::chrono::duration_cast<milliseconds>(
                                  clock_.WallNow() - occurrence->occurred_at));
  }
  return all;
}

}  // namespace kem

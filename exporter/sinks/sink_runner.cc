#include "sinks/sink_runner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/random.h"
#include "base/start_thread.h"

namespace kem {
namespace {

using std::chrono::milliseconds;

// Of the sink of a name, wherever a reload moves its queue.
class LedgerMemory : public SinkMemory {
 public:
  LedgerMemory(Ledger& ledger, const std::string& name)
      : ledger_(ledger), name_(name) {}

  bool Remember(std::string_view name, std::string_view text) override {
    const std::lock_guard guard(ledger_.mutex());
    const std::optional<size_t> index = ledger_.outbox().Find(name_);
    return index && ledger_.Remember(*index, name, text);
  }
  std::map<std::string, std::string> All() const override {
    const std::lock_guard guard(ledger_.mutex());
    const std::optional<size_t> index = ledger_.outbox().Find(name_);
    if (!index) return {};
    const Outbox::Memories& all = ledger_.outbox().memories(*index);
    return {all.begin(), all.end()};
  }

 private:
  Ledger& ledger_;
  const std::string& name_;
};

}  // namespace

SinkRunner::SinkRunner(Ledger& ledger, Clock& clock, SinkFactory make,
                       Options options)
    : ledger_(ledger),
      clock_(clock),
      make_(std::move(make)),
      options_(std::move(options)) {}

SinkRunner::~SinkRunner() {
  Stop(milliseconds(0));
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] {
    JoinEnded();
    return lanes_.empty();
  });
}

Result<void> SinkRunner::Set(const std::vector<SinkConfig>& sinks,
                             const std::function<void(Filters)>& swap_filters) {
  const std::lock_guard guard(mutex_);
  if (stopped_) return Error{ErrorCode::kCancelled, "the exporter is stopping"};
  JoinEnded();
  Result<void> started = StartLanes(sinks);
  if (!started) return started;
  Filters filters;
  std::vector<Outbox::Sink> queues;
  std::vector<Shown> shown;
  std::set<std::string_view> names;
  for (const SinkConfig& config : sinks) {
    filters.push_back(std::make_shared<const EventFilter>(config.filter));
    queues.push_back(config.queue);
    names.insert(config.queue.name);
    Lane& lane = lanes_.at(config.queue.name);
    if (!lane.wanted || lane.wanted->config != config) {
      const bool counts_on =
          lane.wanted && lane.wanted->config.type == config.type;
      const auto stats =
          counts_on ? lane.wanted->stats : std::make_shared<SinkStats>();
      Withdraw(lane);
      lane.wanted = Job{config, stats};
      lane.waits = true;
    }
    shown.push_back({config.queue.name, config.type, lane.wanted->stats});
  }
  for (auto& [name, lane] : lanes_) {
    if (!names.contains(name)) Withdraw(lane);
  }
  Leftovers gone;  // freed after the mutex is released
  const std::lock_guard counting(ledger_.mutex());
  gone = ledger_.SetSinks(queues);
  shown_ = std::move(shown);
  swap_filters(std::move(filters));
  return {};
}

// A lane without a job ends, so that an error needs no cleaning up. The threads
// wait for mutex_.
Result<void> SinkRunner::StartLanes(const std::vector<SinkConfig>& sinks) {
  for (const SinkConfig& config : sinks) {
    const auto [at, added] = lanes_.try_emplace(config.queue.name);
    if (!added) continue;
    Result<std::jthread> thread = StartThread(
        [this, lane = &at->second](std::stop_token) { RunLane(*lane); });
    if (!thread) {
      lanes_.erase(at);
      return thread.error();
    }
    at->second.thread = std::move(*thread);
  }
  return {};
}

void SinkRunner::RunLane(Lane& lane) {
  std::unique_lock lock(mutex_);
  while (std::exchange(lane.waits, false)) {
    const Job job = *lane.wanted;
    lane.finish = std::stop_source();
    lane.stop = std::stop_source();
    const std::stop_token finish = lane.finish.get_token();
    const std::stop_token stop = lane.stop.get_token();
    lock.unlock();
    RunSink(job, finish, stop);
    lock.lock();
  }
  lane.ended = true;
  ended_.notify_all();
}

void SinkRunner::RunSink(const Job& job, const std::stop_token& finish,
                         const std::stop_token& stop) {
  LedgerMemory memory(ledger_, job.config.queue.name);
  const std::unique_ptr<Sink> sink = make_(job.config, memory, *job.stats);
  // Mirrors are the same from all replicas, and each has a history of its own.
  const bool once = job.config.type != SinkType::kMirror &&
                    job.config.type != SinkType::kHistory;
  SinkWorker worker(
      ledger_, job.config.queue.name, job.config.every, *sink, *job.stats,
      {clock_, MakeRandomUnit(), signal_, options_.flush,
       once ? options_.turn : nullptr, options_.watches_namespaces});
  worker.Run(finish, stop);
}

void SinkRunner::Withdraw(Lane& lane) {
  lane.wanted.reset();
  lane.waits = false;
  lane.stop.request_stop();
  lane.finish.request_stop();
}

void SinkRunner::JoinEnded() {
  // The thread has left mutex_, so joining it takes no time.
  std::erase_if(lanes_, [](const auto& item) { return item.second.ended; });
}

bool SinkRunner::Stop(milliseconds patience) {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  for (auto& [name, lane] : lanes_) {
    lane.waits = false;
    lane.finish.request_stop();
  }
  const auto all_ended = [this] {
    JoinEnded();
    return lanes_.empty();
  };
  if (ended_.wait_for(lock, patience / 2, all_ended)) return true;
  for (auto& [name, lane] : lanes_) Withdraw(lane);
  return ended_.wait_for(lock, patience / 2, all_ended);
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
    one.connections = stats.connections;
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

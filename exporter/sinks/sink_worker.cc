#include "sinks/sink_worker.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"

namespace kem {

using std::chrono::milliseconds;

void SinkSignal::Notify() {
  {
    const std::lock_guard guard(mutex_);
    ++count_;
  }
  changed_.notify_all();
}

uint64_t SinkSignal::Wait(uint64_t seen, milliseconds timeout,
                          const std::stop_token& stop) {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, stop, timeout, [&] { return count_ != seen; });
  return count_;
}

SinkWorker::SinkWorker(Ledger& ledger, std::string name, Sink& sink,
                       SinkStats& stats, Environment environment)
    : ledger_(ledger),
      name_(std::move(name)),
      sink_(sink),
      stats_(stats),
      environment_(std::move(environment)) {}

void SinkWorker::Run(const std::stop_token& stop) {
  uint64_t seen = 0;
  while (!stop.stop_requested()) {
    const Step step = DeliverBatch(stop);
    if (step.next == Next::kMore) continue;
    sink_.Idle(stop);
    if (step.next == Next::kIdle) {
      seen = environment_.signal.Wait(seen, sink_.idle_interval(), stop);
    } else {
      environment_.clock.SleepFor(step.wait, stop);
    }
  }
}

Outbox::Entries SinkWorker::Peek() {
  const std::lock_guard guard(ledger_.mutex());
  const std::optional<size_t> index = ledger_.outbox().Find(name_);
  if (!index) return {};
  return ledger_.Peek(*index, sink_.max_batch(), sink_.max_batch_bytes());
}

void SinkWorker::Settle(const Outbox::Entries& entries, size_t done) {
  const std::lock_guard guard(ledger_.mutex());
  const std::optional<size_t> index = ledger_.outbox().Find(name_);
  if (!index) return;
  if (done > 0) ledger_.Acknowledge(*index, entries[done - 1]->number);
  ledger_.PutBack(*index);
}

SinkWorker::Step SinkWorker::DeliverBatch(const std::stop_token& stop) {
  const Outbox::Entries entries = Peek();
  if (entries.empty()) return {Next::kIdle};
  std::vector<Occurrence> batch;
  batch.reserve(entries.size());
  for (const auto& entry : entries) {
    // Entries were encoded here or checked on loading: decoding succeeds.
    batch.push_back(DecodeOccurrence(entry->bytes).value_or(Occurrence()));
  }
  if (std::exchange(failed_, false)) ++stats_.retries;
  const Delivery delivery = sink_.Deliver(batch, stop);
  const size_t done = std::min(delivery.done, entries.size());
  const bool complete = done == entries.size();
  Settle(entries, done);
  if (done > 0) environment_.flush();
  Log(delivery, complete);
  stats_.delivered += done - std::min(delivery.refused, done);
  stats_.refused += delivery.refused;
  if (complete) {
    backoff_.Reset();
    return {Next::kMore};
  }
  if (stop.stop_requested()) return {Next::kRetry};
  if (const auto* hold = std::get_if<Delivery::Hold>(&delivery.rest)) {
    backoff_.Reset();
    return {Next::kHold, std::min(hold->wait, kLongestHold)};
  }
  ++stats_.failed_attempts;
  failed_ = true;
  if (done > 0) backoff_.Reset();
  milliseconds wait =
      backoff_.Next(environment_.clock.SteadyNow(), environment_.random());
  if (const auto* failure = std::get_if<Delivery::Failure>(&delivery.rest);
      failure != nullptr && failure->retry_after) {
    wait = std::max<milliseconds>(
        wait, std::min(*failure->retry_after, kLongestRetryAfter));
  }
  return {Next::kRetry, wait};
}

void SinkWorker::Log(const Delivery& delivery, bool complete) {
  const auto* failure =
      complete ? nullptr : std::get_if<Delivery::Failure>(&delivery.rest);
  const bool stopped =
      !complete && std::holds_alternative<std::monostate>(delivery.rest);
  if (failure != nullptr && !failing_) {
    LogWarn("Delivery to a sink failed, retrying",
            {{"sink", name_}, {"problem", failure->problem}});
  }
  if (failure == nullptr && failing_ && !stopped) {
    LogInfo("Delivery to a sink recovered", {{"sink", name_}});
  }
  failing_ = failure != nullptr || (failing_ && stopped);
  const bool refusing = delivery.refused > 0;
  if (refusing && !refusing_) {
    LogWarn("Receiver of a sink refused occurrences, dropped them",
            {{"sink", name_}, {"problem", delivery.refusal}});
  }
  refusing_ = refusing;
}

}  // namespace kem

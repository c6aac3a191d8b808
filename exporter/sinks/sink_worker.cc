#include "sinks/sink_worker.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"

namespace kem {

using std::chrono::milliseconds;

void SinkBell::Ring() {
  {
    const std::lock_guard guard(mutex_);
    ++rings_;
  }
  changed_.notify_all();
}

uint64_t SinkBell::Wait(uint64_t heard, milliseconds patience,
                        const std::stop_token& stop) {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, stop, patience, [&] { return rings_ != heard; });
  return rings_;
}

SinkWorker::SinkWorker(Ledger& ledger, size_t index, Sink& sink,
                       SinkStats& stats, Environment environment)
    : ledger_(ledger),
      index_(index),
      sink_(sink),
      stats_(stats),
      environment_(std::move(environment)) {
  const std::lock_guard guard(ledger_.mutex());
  name_ = ledger_.outbox().sink(index).name;
}

void SinkWorker::Run(const std::stop_token& stop) {
  uint64_t heard = 0;
  while (!stop.stop_requested()) {
    const Step step = PassOn(stop);
    if (step.next == Next::kMore) continue;
    sink_.Idle(stop);
    if (step.next == Next::kIdle) {
      heard = environment_.bell.Wait(heard, sink_.idle_interval(), stop);
    } else {
      environment_.clock.SleepFor(step.wait, stop);
    }
  }
}

SinkWorker::Step SinkWorker::PassOn(const std::stop_token& stop) {
  Outbox::Entries entries;
  {
    const std::lock_guard guard(ledger_.mutex());
    entries = ledger_.Peek(index_, sink_.max_batch(), kMaxBatchBytes);
  }
  if (entries.empty()) return {Next::kIdle};
  std::vector<Occurrence> batch;
  batch.reserve(entries.size());
  for (const auto& entry : entries) {
    // What the outbox holds was encoded by us, or checked when it was loaded.
    batch.push_back(DecodeOccurrence(entry->bytes).value_or(Occurrence()));
  }
  if (std::exchange(failed_, false)) ++stats_.retries;
  const Delivery delivery = sink_.Deliver(batch, stop);
  const size_t done = std::min(delivery.done, entries.size());
  {
    const std::lock_guard guard(ledger_.mutex());
    if (done > 0) ledger_.Acknowledge(index_, entries[done - 1]->number);
    ledger_.PutBack(index_);
  }
  if (done > 0) environment_.flush();
  Note(delivery, done == entries.size() || delivery.hold);
  stats_.delivered += done - std::min(delivery.refused, done);
  stats_.refused += delivery.refused;
  if (done == entries.size()) {
    backoff_.Reset();
    return {Next::kMore};
  }
  if (stop.stop_requested()) return {Next::kRetry};
  if (delivery.hold) {
    backoff_.Reset();
    return {Next::kHold, std::min(*delivery.hold, kLongestHold)};
  }
  ++stats_.failed_attempts;
  failed_ = true;
  if (done > 0) backoff_.Reset();
  const milliseconds wait =
      backoff_.Next(environment_.clock.SteadyNow(), environment_.random());
  const std::chrono::seconds wish =
      delivery.retry_after.value_or(std::chrono::seconds(0));
  return {Next::kRetry,
          std::max<milliseconds>(wait, std::min(wish, kLongestRetryAfter))};
}

// Each trouble is told once, and its end.
void SinkWorker::Note(const Delivery& delivery, bool well) {
  const bool failing = !well && !delivery.problem.empty();
  if (failing && !failing_) {
    LogWarn("A sink does not get through; occurrences wait for it",
            {{"sink", name_}, {"problem", delivery.problem}});
  }
  if (!failing && failing_) {
    LogInfo("A sink gets through again", {{"sink", name_}});
  }
  failing_ = failing;
  const bool refusing = delivery.refused > 0;
  if (refusing && !refusing_) {
    LogWarn("A sink's receiver refuses occurrences; they are lost to it",
            {{"sink", name_}, {"problem", delivery.problem}});
  }
  refusing_ = refusing;
}

}  // namespace kem

#include "sinks/sink_worker.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"

namespace kem {

using std::chrono::milliseconds;

namespace {

int64_t WindowsUntil(WallTime now, std::chrono::seconds window) {
  return window.count() == 0 ? 0 : now.time_since_epoch() / window;
}

}  // namespace

void SinkSignal::Notify() {
  ++count_;
  if (waiting_ == 0) return;
  // A worker that has read the old count now waits, or will read the new one.
  { const std::lock_guard guard(mutex_); }
  changed_.notify_all();
}

uint64_t SinkSignal::Wait(uint64_t seen, milliseconds timeout,
                          const std::stop_token& stop) {
  ++waiting_;
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, stop, timeout, [&] { return count_ != seen; });
  --waiting_;
  return count_;
}

SinkWorker::SinkWorker(Ledger& ledger, std::string name,
                       std::chrono::seconds window, Sink& sink,
                       SinkStats& stats, Environment environment)
    : ledger_(ledger),
      name_(std::move(name)),
      window_(window),
      sink_(sink),
      stats_(stats),
      environment_(std::move(environment)),
      closed_windows_(WindowsUntil(environment_.clock.WallNow(), window_)) {
  // A window may have ended while no process ran.
  const std::lock_guard guard(ledger_.mutex());
  const std::optional<size_t> index = ledger_.outbox().Find(name_);
  const OutboxEntryPtr first =
      index ? ledger_.outbox().FirstOpen(*index) : nullptr;
  const auto occurrence = first ? DecodeOccurrence(first->bytes) : std::nullopt;
  if (!occurrence) return;
  closed_windows_ =
      std::min(closed_windows_, WindowsUntil(occurrence->occurred_at, window_));
}

void SinkWorker::Run(const std::stop_token& finish,
                     const std::stop_token& stop) {
  uint64_t seen = 0;
  while (!finish.stop_requested()) {
    const Step step = DeliverBatch(stop);
    if (step.next == Next::kMore) continue;
    // Another replica may have changed what this one remembers.
    if (environment_.turn == nullptr || turn_ > 0) sink_.Idle(stop);
    if (step.next == Next::kIdle) {
      seen = environment_.signal.Wait(
          seen, std::min(sink_.idle_interval(), UntilWindowEnds()), finish);
    } else {
      environment_.clock.SleepFor(step.wait, finish);
    }
  }
  finishing_ = true;
  while (!failed_ && !stop.stop_requested() &&
         DeliverBatch(stop).next == Next::kMore) {
  }
}

// Windows end at multiples of their length, so that those of replicas and of
// the next process end at the same time.
void SinkWorker::CloseWindow() {
  if (window_.count() == 0) return;
  const int64_t windows = WindowsUntil(environment_.clock.WallNow(), window_);
  if (windows == closed_windows_ && !finishing_) return;
  const std::lock_guard guard(ledger_.mutex());
  const std::optional<size_t> index = ledger_.outbox().Find(name_);
  if (index && ledger_.CloseWindow(*index)) closed_windows_ = windows;
}

milliseconds SinkWorker::UntilWindowEnds() const {
  if (window_.count() == 0) return milliseconds::max();
  const auto now = environment_.clock.WallNow().time_since_epoch();
  return std::chrono::ceil<milliseconds>(window_ - now % window_);
}

SinkWorker::Taken SinkWorker::Peek(const DeliveryMark& mark) {
  const std::lock_guard guard(ledger_.mutex());
  const std::optional<size_t> index = ledger_.outbox().Find(name_);
  if (!index) return {};
  if (turn_ > 0 && mark_.last.empty()) {
    const OutboxEntryPtr last = ledger_.outbox().LastClosed(*index);
    mark_.window = last ? DecodeOccurrence(last->bytes)
                              .value_or(Occurrence())
                              .resource_version
                        : 0;
  }
  Taken taken{ledger_.Peek(*index, sink_.max_batch(), sink_.max_batch_bytes())};
  if (environment_.turn == nullptr) return taken;
  taken.mark = ledger_.Reached(mark);
  if (window_.count() == 0) return taken;
  for (const auto& entry : taken.entries) {
    const auto occurrence = DecodeOccurrence(entry->bytes);
    taken.later.push_back(
        occurrence ? ledger_.outbox().FindOpen(*index, occurrence->uid)
                   : nullptr);
  }
  return taken;
}

SinkWorker::Batch SinkWorker::Decode(const Taken& taken) const {
  Batch batch;
  batch.occurrences.reserve(taken.entries.size());
  batch.ends.reserve(taken.entries.size());
  for (size_t i = 0; i < taken.entries.size(); ++i) {
    // Entries were encoded here or checked on loading: decoding succeeds.
    std::optional<Occurrence> one =
        DecodeOccurrence(taken.entries[i]->bytes).value_or(Occurrence());
    if (environment_.turn != nullptr) {
      std::optional<Occurrence> later;
      if (i < taken.later.size() && taken.later[i]) {
        later = DecodeOccurrence(taken.later[i]->bytes);
      }
      one = NotDelivered(taken.mark, *one, later ? &*later : nullptr);
    }
    if (!one) continue;
    batch.occurrences.push_back(*one);
    batch.ends.push_back(i + 1);
  }
  return batch;
}

SinkWorker::Left SinkWorker::Settle(const Outbox::Entries& entries,
                                    size_t done) {
  const std::lock_guard guard(ledger_.mutex());
  const std::optional<size_t> index = ledger_.outbox().Find(name_);
  if (!index) return {};
  if (done > 0) ledger_.Acknowledge(*index, entries[done - 1]->number);
  ledger_.PutBack(*index);
  return {ledger_.outbox().LastClosed(*index) == nullptr,
          ledger_.outbox().size(*index).oldest != nullptr};
}

SinkWorker::Step SinkWorker::DeliverBatch(const std::stop_token& stop) {
  CloseWindow();
  std::stop_token over;
  if (environment_.turn != nullptr) {
    const DeliveryTurn::State state = environment_.turn->Of(name_);
    if (state.turn == 0) return StandBy(state.delivered);
    if (state.turn != turn_) BeginTurn(state);
    over = state.over;
    const SteadyTime now = environment_.clock.SteadyNow();
    if (now < next_batch_ && !finishing_) {
      return {Next::kHold, std::chrono::ceil<milliseconds>(next_batch_ - now)};
    }
  }
  const Taken taken = Peek(inherited_);
  const Outbox::Entries& entries = taken.entries;
  if (entries.empty()) return {Next::kIdle};
  // Without the versions of an epoch that has ended.
  if (turn_ > 0) inherited_ = taken.mark;
  const Batch batch = Decode(taken);
  std::stop_source end;
  const auto request = [&end] { end.request_stop(); };
  const std::stop_callback by_stop(stop, request);
  const std::stop_callback by_turn(over, request);
  Delivery delivery;
  if (!batch.occurrences.empty()) {
    if (std::exchange(failed_, false)) ++stats_.retries;
    delivery = sink_.Deliver(batch.occurrences, end.get_token());
  }
  const size_t delivered = std::min(delivery.done, batch.occurrences.size());
  const bool complete = delivered == batch.occurrences.size();
  const size_t done = complete        ? entries.size()
                      : delivered > 0 ? batch.ends[delivered - 1]
                                      : 0;
  const Left left = Settle(entries, done);
  if (done > 0) environment_.flush();
  if (!batch.occurrences.empty()) Log(delivery, complete);
  stats_.delivered += delivered - std::min(delivery.refused, delivered);
  stats_.refused += delivery.refused;
  if (turn_ > 0) {
    for (size_t i = 0; i < delivered; ++i) Note(batch.occurrences[i]);
    if (left.window_ended) EndWindow(mark_);
    if (!left.more) {
      next_batch_ = environment_.clock.SteadyNow() + kPace;
    }
    if (delivered > 0 &&
        !environment_.turn->Publish(turn_, name_, mark_, stop)) {
      return {Next::kRetry};
    }
  }
  return AfterAttempt(delivery, complete, end.get_token());
}

void SinkWorker::Note(const Occurrence& delivered) {
  const bool by_namespace = environment_.watches_namespaces;
  NoteDelivered(mark_, by_namespace ? delivered.event_namespace : "",
                delivered);
}

SinkWorker::Step SinkWorker::AfterAttempt(const Delivery& delivery,
                                          bool complete,
                                          const std::stop_token& ended) {
  if (complete) {
    backoff_.Reset();
    return {Next::kMore};
  }
  if (ended.stop_requested()) return {Next::kRetry};
  if (const auto* hold = std::get_if<Delivery::Hold>(&delivery.rest)) {
    backoff_.Reset();
    return {Next::kHold, std::min(hold->wait, kLongestHold)};
  }
  ++stats_.failed_attempts;
  failed_ = true;
  if (delivery.done > 0) backoff_.Reset();
  milliseconds wait =
      backoff_.Next(environment_.clock.SteadyNow(), environment_.random());
  if (const auto* failure = std::get_if<Delivery::Failure>(&delivery.rest);
      failure != nullptr && failure->retry_after) {
    wait = std::max<milliseconds>(
        wait, std::min(*failure->retry_after, kLongestRetryAfter));
  }
  return {Next::kRetry, wait};
}

void SinkWorker::BeginTurn(const DeliveryTurn::State& state) {
  turn_ = state.turn;
  inherited_ = mark_ = state.delivered;
  // A window of another replica is no window of this one.
  mark_.window = 0;
  mark_.last.clear();
  next_batch_ = {};
}

SinkWorker::Step SinkWorker::StandBy(const DeliveryMark& delivered) {
  turn_ = 0;
  failed_ = false;
  while (true) {
    const Taken taken = Peek(delivered);
    const Batch rest = Decode(taken);
    const size_t done =
        rest.ends.empty() ? taken.entries.size() : rest.ends.front() - 1;
    Settle(taken.entries, done);
    if (done == 0 || done < taken.entries.size()) return {Next::kHold, kPace};
  }
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

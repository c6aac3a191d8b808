// Delivers the queue of one sink in order: batches, back-off, acknowledgement.
// One thread per sink, so that a slow receiver delays no other sink. Knows
// neither JSON nor HTTP.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "reflector/backoff.h"
#include "sinks/sink.h"
#include "state/ledger.h"

namespace kem {

// For the exporter's own metrics. Thread-safe.
struct SinkStats {
  std::atomic<uint64_t> delivered{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> failed_attempts{0};
  std::atomic<uint64_t> retries{0};  // attempts after a failed one
};

// Wakes the workers when occurrences were queued. Thread-safe.
class SinkSignal {
 public:
  void Notify();
  // Waits until Notify was called after the call that returned `seen`, until
  // `timeout` has passed or `stop` is requested. Returns the next `seen`.
  uint64_t Wait(uint64_t seen, std::chrono::milliseconds timeout,
                const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t count_ = 0;  // guarded by mutex_
};

class SinkWorker {
 public:
  // The longest wait of a Hold: newer occurrences may be due earlier.
  static constexpr std::chrono::milliseconds kLongestHold{1000};
  // The longest Retry-After that is followed.
  static constexpr std::chrono::seconds kLongestRetryAfter{3600};

  struct Environment {
    Clock& clock;
    RandomUnit random;
    SinkSignal& signal;
    // Persists acknowledgements, so that a crash repeats no delivery.
    std::function<void()> flush;
  };

  // `name` is that of the sink's queue in the ledger. A reload may move the
  // queue or delete it; then there is nothing to deliver. All must outlive
  // this.
  SinkWorker(Ledger& ledger, std::string name, Sink& sink, SinkStats& stats,
             Environment environment);

  // The thread's body, until `stop`. The queue stays in the ledger.
  void Run(const std::stop_token& stop);

  enum class Next { kMore, kIdle, kRetry, kHold };
  struct Step {
    Next next;
    std::chrono::milliseconds wait{0};
  };
  // Delivers one batch. Public for tests.
  Step DeliverBatch(const std::stop_token& stop);

 private:
  // Takes the next batch in hand.
  Outbox::Entries Peek();
  // Gives up the first `done` of a batch and returns the rest to the queue.
  void Settle(const Outbox::Entries& entries, size_t done);
  // Logs when failures or refusals begin, and when failures end.
  void Log(const Delivery& delivery, bool complete);

  Ledger& ledger_;
  const std::string name_;
  Sink& sink_;
  SinkStats& stats_;
  Environment environment_;
  Backoff backoff_;
  bool failing_ = false;   // and logged
  bool refusing_ = false;  // and logged
  bool failed_ = false;    // the last attempt
};

}  // namespace kem

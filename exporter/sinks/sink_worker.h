// Takes what waits in the outbox to one sink, in order, until the sink has
// it: batches, back-off, acknowledgement. One thread each, so that a slow
// receiver holds up nobody else. Knows neither JSON nor HTTP.
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

// For our own metrics. Read by any thread.
struct SinkStats {
  std::atomic<uint64_t> delivered{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> failed_attempts{0};
  std::atomic<uint64_t> retries{0};  // attempts after a failed one
};

// Wakes the workers. Thread-safe.
class SinkBell {
 public:
  void Ring();
  // Until it rang since `heard`, or `patience` is over, or `stop`; returns what
  // to hand in next time.
  uint64_t Wait(uint64_t heard, std::chrono::milliseconds patience,
                const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t rings_ = 0;  // guarded by mutex_
};

class SinkWorker {
 public:
  // Of what a sink is handed at once.
  static constexpr size_t kMaxBatchBytes = size_t{1} << 20;
  // What is held is asked about that often, as newer ones may wait behind it.
  static constexpr std::chrono::milliseconds kLongestHold{1000};
  // No receiver can put us off for longer.
  static constexpr std::chrono::seconds kLongestRetryAfter{3600};

  struct Environment {
    Clock& clock;
    RandomUnit random;
    SinkBell& bell;
    // Keeps what was acknowledged, so that a crash does not send it again.
    std::function<void()> flush;
  };

  // `index` is the sink's in the ledger's outbox. All must outlive this.
  SinkWorker(Ledger& ledger, size_t index, Sink& sink, SinkStats& stats,
             Environment environment);

  // The thread's body, until `stop`: what waits then is in the state.
  void Run(const std::stop_token& stop);

  enum class Next { kMore, kIdle, kRetry, kHold };
  struct Step {
    Next next;
    std::chrono::milliseconds wait{0};
  };
  // One batch. Public for tests.
  Step PassOn(const std::stop_token& stop);

 private:
  void Note(const Delivery& delivery, bool well);

  Ledger& ledger_;
  const size_t index_;
  Sink& sink_;
  SinkStats& stats_;
  Environment environment_;
  Backoff backoff_;
  std::string name_;
  bool failing_ = false;   // told so
  bool refusing_ = false;  // told so
  bool failed_ = false;    // the last attempt
};

}  // namespace kem

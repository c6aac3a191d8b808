// Delivers the queue of one sink in order: batches, back-off, acknowledgement,
// the windows of a sink that joins. With other replicas it delivers in its turn
// only, and drops what others have delivered. One thread per sink, so that a
// slow receiver delays no other sink. Knows neither JSON nor HTTP.
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
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "occurrences/delivery_mark.h"
#include "reflector/backoff.h"
#include "sinks/delivery_turn.h"
#include "sinks/sink.h"
#include "state/ledger.h"

namespace kem {

// For the exporter's own metrics. Thread-safe.
struct SinkStats {
  std::atomic<uint64_t> delivered{0};
  std::atomic<uint64_t> refused{0};
  std::atomic<uint64_t> failed_attempts{0};
  std::atomic<uint64_t> retries{0};      // attempts after a failed one
  std::atomic<uint64_t> connections{0};  // opened by the sink
};

// Wakes the workers when occurrences were queued. Thread-safe.
class SinkSignal {
 public:
  // Takes no lock while all workers are busy.
  void Notify();
  // Waits until Notify was called after the call that returned `seen`, until
  // `timeout` has passed or `stop` is requested. Returns the next `seen`.
  uint64_t Wait(uint64_t seen, std::chrono::milliseconds timeout,
                const std::stop_token& stop);

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Each Wait first counts itself, then reads the count of calls; each Notify
  // first counts its call, then reads who waits. So one of them sees the other.
  std::atomic<int> waiting_{0};
  std::atomic<uint64_t> count_{0};
};

class SinkWorker {
 public:
  // The longest wait of a Hold: newer occurrences may be due earlier.
  static constexpr std::chrono::milliseconds kLongestHold{1000};
  // The longest Retry-After that is followed.
  static constexpr std::chrono::seconds kLongestRetryAfter{3600};
  // With other replicas, from a batch that is not full to the next one: each
  // costs a write to the API server.
  static constexpr std::chrono::milliseconds kPace{1000};

  struct Environment {
    Clock& clock;
    RandomUnit random;
    SinkSignal& signal;
    // Persists acknowledgements, so that a crash repeats no delivery.
    std::function<void()> flush;
    // Null when no other replica delivers the same.
    DeliveryTurn* turn = nullptr;
    // Each namespace has a watch of its own.
    bool watches_namespaces = false;
  };

  // `name` is that of the sink's queue in the ledger. A reload may move the
  // queue or delete it; then there is nothing to deliver. `window` is that of a
  // sink that joins, else 0. All must outlive this.
  SinkWorker(Ledger& ledger, std::string name, std::chrono::seconds window,
             Sink& sink, SinkStats& stats, Environment environment);

  // The thread's body. After `finish` it delivers what waits and ends, at the
  // first failure too; after `stop` it ends at once. The ledger keeps the rest.
  void Run(const std::stop_token& finish, const std::stop_token& stop);

  enum class Next { kMore, kIdle, kRetry, kHold };
  struct Step {
    Next next;
    std::chrono::milliseconds wait{0};
  };
  // Delivers one batch. Public for tests.
  Step DeliverBatch(const std::stop_token& stop);

 private:
  // The decoded entries that are to be delivered, and for each the number of
  // entries up to it.
  struct Batch {
    std::vector<Occurrence> occurrences;
    std::vector<size_t> ends;
  };
  // A batch in hand.
  struct Taken {
    Outbox::Entries entries;
    // With other replicas, for a sink that joins: the entries of the open
    // window about the same Events, or null.
    Outbox::Entries later = {};
    // What others have delivered.
    DeliveryMark mark = {};
  };
  // After a batch.
  struct Left {
    bool window_ended = true;  // nothing more of closed windows
    bool more = false;         // that can be delivered
  };

  // Ends the window when its time has come.
  void CloseWindow();
  std::chrono::milliseconds UntilWindowEnds() const;
  // Takes the next batch in hand. `mark` is what others have delivered.
  Taken Peek(const DeliveryMark& mark);
  Batch Decode(const Taken& taken) const;
  // Gives up the first `done` of a batch and returns the rest to the queue.
  Left Settle(const Outbox::Entries& entries, size_t done);
  Step AfterAttempt(const Delivery& delivery, bool complete,
                    const std::stop_token& ended);
  void BeginTurn(const DeliveryTurn::State& state);
  Step StandBy(const DeliveryMark& delivered);
  void Note(const Occurrence& delivered);
  // Logs when failures or refusals begin, and when failures end.
  void Log(const Delivery& delivery, bool complete);

  Ledger& ledger_;
  const std::string name_;
  const std::chrono::seconds window_;
  Sink& sink_;
  SinkStats& stats_;
  Environment environment_;
  Backoff backoff_;
  int64_t closed_windows_;  // windows since 1970, of the wall clock
  bool finishing_ = false;
  bool failing_ = false;   // and logged
  bool refusing_ = false;  // and logged
  bool failed_ = false;    // the last attempt

  // Of the turn; 0 without one.
  uint64_t turn_ = 0;
  DeliveryMark inherited_;  // what others had delivered
  DeliveryMark mark_;       // with what this one has
  SteadyTime next_batch_;
};

}  // namespace kem

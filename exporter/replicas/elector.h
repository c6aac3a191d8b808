// Decides which replica delivers: one holds a Lease, renews it, and publishes
// in it what is delivered. The others read it, and take it over when it was
// released or not renewed for its duration. The rules and times are client-go's
// (tools/leaderelection), so clocks of replicas are never compared. Used by the
// app, with --replicas.lease only. Knows no queue and no sink.
//
// The holder stops delivering 10 s after the last renewal began. Another begins
// when it has seen no renewal for 15 s.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "replicas/lease.h"
#include "sinks/delivery_turn.h"

namespace kem {

// For the exporter's own metrics.
struct ReplicaStatus {
  bool elects = false;  // --replicas.lease is set
  bool leads = false;   // this replica
  std::string holder;   // empty for none, and while unknown
  WallTime acquired;
  uint32_t transitions = 0;
  uint64_t failures = 0;  // requests

  double acquired_seconds() const {
    return std::chrono::duration<double>(acquired.time_since_epoch()).count();
  }
};

class Elector : public DeliveryTurn {
 public:
  static constexpr std::chrono::seconds kLease{15};
  static constexpr std::chrono::seconds kRenewWithin{10};
  static constexpr std::chrono::seconds kRetry{2};
  static constexpr std::chrono::seconds kRequest{5};
  static constexpr std::chrono::milliseconds kRelease{2000};

  // `identity` must differ from those of all other replicas. All must outlive
  // this.
  Elector(HttpTransport& transport, LeaseName name, std::string identity,
          Clock& clock);

  // The thread's body, until `stop`. No sink can block it.
  void Run(const std::stop_token& stop);
  // Gives up the Lease, with all that is delivered, so that another replica
  // takes it at once. Call it after Run has returned, when no sink delivers any
  // more. Blocks for about kRelease.
  void Release();

  // One request; returns when the next one is due. Public for tests.
  std::chrono::milliseconds Step(const std::stop_token& stop);

  State Of(const std::string& sink) override;
  bool Publish(uint64_t turn, const std::string& sink, const DeliveryMark& mark,
               const std::stop_token& stop) override;
  // Thread-safe.
  ReplicaStatus Status() const;

 private:
  using Marks = std::map<std::string, DeliveryMark, std::less<>>;

  std::chrono::milliseconds Renew(const std::stop_token& stop);
  std::chrono::milliseconds Follow(const std::stop_token& stop);
  std::chrono::milliseconds Acquire(LeaseRecord record,
                                    const std::stop_token& stop);
  std::chrono::milliseconds AfterConflict(const std::stop_token& stop);
  LeaseRecord Renewed(LeaseRecord record, uint64_t& requested);
  void NoteRecord(const LeaseRecord& record);
  void AdoptMarks(const LeaseRecord& record);
  void Lose(const std::string& why);
  void NoteFailure(const std::string& problem);
  void NoteSuccess();

  Clock& clock_;
  const std::string identity_;
  const std::string name_;  // for the log
  // Of the thread.
  LeaseClient client_;
  LeaseRecord seen_;
  SteadyTime seen_at_;  // its last change
  bool failing_ = false;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  // Guarded by mutex_.
  bool leads_ = false;
  uint64_t turn_ = 0;
  std::stop_source over_;
  SteadyTime leads_until_;
  Marks marks_;
  // Publications. A failed attempt is repeated after its wait, not at once.
  uint64_t requested_ = 0;
  uint64_t attempted_ = 0;
  uint64_t published_ = 0;
  ReplicaStatus status_;
};

}  // namespace kem

// A ledger's steps as bytes, so that they can be replayed: each call that
// changes the ledger appends its arguments, some 90 bytes a watch event.
// Written by the ledger; StateStore carries the bytes to a file.
//
// Not thread-safe: guarded by the ledger's mutex. Nothing here fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "occurrences/event_tracker.h"
#include "occurrences/outbox.h"
#include "reflector/object_handler.h"
#include "series/series_table.h"
#include "state/ledger.h"

namespace kem {

class LedgerLog {
 public:
  // When more steps than this wait, they are dropped, and the log is of no use
  // until Restart.
  static constexpr size_t kMaxBytes = size_t{8} << 20;
  // When `wake` is called.
  static constexpr size_t kManyBytes = size_t{256} << 10;

  explicit LedgerLog(std::function<void()> wake) : wake_(std::move(wake)) {}

  // The steps of Ledger. `collection` is its number.
  void Intern(const SeriesLabels& labels);
  void Preset(const SeriesLabels& labels, const Moment& now);
  void Observe(uint16_t collection, const Sighting& sighting,
               const Moment& now);
  void Remove(uint16_t collection, const Sighting& sighting, const Moment& now);
  void Progress(uint16_t collection, uint64_t resource_version,
                const Moment& now);
  void CompleteWatch(uint16_t collection);
  void Commit(uint16_t collection, const std::deque<Sighting>& sightings,
              const ListCommit& commit, const Ledger::Choice& choice,
              const Moment& now);
  void Expire(const Moment& now);
  void SetSinks(const std::vector<Outbox::Sink>& sinks);
  void Offer(uint32_t mask, std::string_view occurrence);
  void Acknowledge(size_t sink, uint64_t number);
  void Remember(size_t sink, std::string_view name, std::string_view text);

  size_t size() const { return steps_.size(); }
  bool overflowed() const { return overflowed_; }
  // The steps since the last call.
  std::string Take();
  // Forgets the steps that were not taken, and that some were dropped.
  void Restart();

 private:
  template <typename... Fields>
  void Append(char step, const Fields&... fields);
  void Limit();

  const std::function<void()> wake_;
  std::string steps_;
  bool woke_ = false;  // since the last Take
  bool overflowed_ = false;
};

// Replays `steps` on a ledger in the state that they were logged in, `shift` by
// the steady clock later. False when the bytes are no steps, or not of this
// ledger, which is then unusable.
bool Replay(std::string_view steps, std::chrono::nanoseconds shift,
            Ledger& ledger);

}  // namespace kem

// A ledger's steps as bytes, so that they can be taken again: each call that
// changes the ledger appends what it was called with. Written by the ledger,
// carried to a file by StateStore. Cheap: some 90 bytes a frame, and
// what is offered to sinks.
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
  // More steps than this nobody came for: from then on they are dropped, and
  // the log is of no use until Restart.
  static constexpr size_t kMaxBytes = size_t{8} << 20;
  // Somebody should come for them.
  static constexpr size_t kManyBytes = size_t{256} << 10;

  explicit LedgerLog(std::function<void()> wake) : wake_(std::move(wake)) {}

  void Intern(const SeriesLabels& labels);
  void Preset(const SeriesLabels& labels, const Moment& now);
  void Observe(uint16_t watch, const Sighting& sighting, const Moment& now);
  void Remove(uint16_t watch, const Sighting& sighting, const Moment& now);
  void Progress(uint16_t watch, uint64_t resource_version, const Moment& now);
  void Commit(uint16_t watch, const std::deque<Sighting>& sightings,
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
  // Forgets what is not taken, and that some was dropped.
  void Restart();

 private:
  void Put(char step, uint16_t watch, const Sighting& sighting,
           const Moment& now);
  void Limit();

  const std::function<void()> wake_;
  std::string steps_;
  bool woke_ = false;  // since the last Take
  bool overflowed_ = false;
};

// Takes `steps` again on a ledger in the state that they were taken in, `shift`
// by the steady clock later. False when they are no such steps, or not of this
// ledger: it is then of no use.
bool Replay(std::string_view steps, std::chrono::nanoseconds shift,
            Ledger& ledger);

}  // namespace kem

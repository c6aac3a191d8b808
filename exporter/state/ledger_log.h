// A ledger's steps as bytes, so that they can be replayed: each call that
// changes the ledger appends its arguments, some 90 bytes a watch event.
// Written by the ledger; StateStore carries the bytes to a file.
//
// Not thread-safe: guarded by the ledger's mutex. Nothing here fails.
#pragma once

#include <chrono>
#include <concepts>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "occurrences/event_tracker.h"
#include "occurrences/outbox.h"
#include "reflector/object_handler.h"
#include "series/series_table.h"
#include "state/ledger.h"

namespace kem {

// The calls of Ledger, by their byte in the log.
enum class LedgerStep : char {
  kIntern = 'I',
  kPreset = 'P',
  kObserve = 'O',
  kRemove = 'R',
  kProgress = 'V',
  kContact = 'W',
  kCommit = 'C',
  kExpire = 'X',
  kSinks = 'N',
  kOffer = 'F',
  kAcknowledge = 'A',
  kCloseWindow = 'L',
  kRemember = 'M',
  kResume = 'S',
  kForgetBaseline = 'B',
};

// Appends an argument of a step.
template <std::integral Integer>
void PutField(Integer value, ByteWriter& to) {
  to.Integer<Integer>(value);
}
inline void PutField(std::string_view text, ByteWriter& to) { to.Text(text); }
inline void PutField(SteadyTime time, ByteWriter& to) { to.Time(time); }
inline void PutField(const Moment& now, ByteWriter& to) {
  to.Time(now.steady);
  to.Time(now.wall);
}
void PutField(const Sighting& sighting, ByteWriter& to);
void PutField(const std::deque<Sighting>& sightings, ByteWriter& to);
void PutField(const SeriesLabels& labels, ByteWriter& to);
void PutField(const ListCommit& commit, ByteWriter& to);
void PutField(const Ledger::Choice& choice, ByteWriter& to);
void PutField(const std::vector<Outbox::Sink>& sinks, ByteWriter& to);
void PutField(const std::vector<std::string>& names, ByteWriter& to);
inline void PutField(std::chrono::nanoseconds shift, ByteWriter& to) {
  to.Integer<int64_t>(shift.count());
}
// Without exemplars, which are not part of the state.
void PutField(const SeriesOptions& options, ByteWriter& to);
// False for what is no PutField's.
bool TakeOptions(ByteReader& from, SeriesOptions& options);

class LedgerLog {
 public:
  // When more steps than this wait, they are dropped, and the log is of no use
  // until Restart.
  static constexpr size_t kMaxBytes = size_t{8} << 20;
  // When `wake` is called.
  static constexpr size_t kManyBytes = size_t{256} << 10;

  explicit LedgerLog(std::function<void()> wake) : wake_(std::move(wake)) {}

  // The arguments in the order in which Replay reads them. Collections and
  // sinks are numbers, as uint16_t and uint8_t.
  template <typename... Fields>
  void Append(LedgerStep step, const Fields&... fields) {
    if (overflowed_) return;
    steps_ += static_cast<char>(step);
    ByteWriter to(steps_);
    (PutField(fields, to), ...);
    Limit();
  }

  size_t size() const { return steps_.size(); }
  bool overflowed() const { return overflowed_; }
  // The steps since the last call.
  std::string Take();
  // Forgets the steps that were not taken, and that some were dropped.
  void Restart();

 private:
  void Limit();

  const std::function<void()> wake_;
  std::string steps_;
  bool woke_ = false;  // since the last Take
  bool overflowed_ = false;
};

// Replays `steps` on a ledger in the state that they were logged in. False when
// the bytes are no steps, or not of this ledger, which is then unusable.
bool Replay(std::string_view steps, Ledger& ledger);

}  // namespace kem

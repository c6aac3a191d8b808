#include "state/ledger_log.h"

#include <concepts>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "occurrences/occurrence.h"
#include "state/ledger.h"

namespace kem {
namespace {

constexpr char kIntern = 'I';
constexpr char kPreset = 'P';
constexpr char kObserve = 'O';
constexpr char kRemove = 'R';
constexpr char kProgress = 'V';
constexpr char kCompleteWatch = 'E';
constexpr char kCommit = 'C';
constexpr char kExpire = 'X';
constexpr char kSinks = 'N';
constexpr char kOffer = 'F';
constexpr char kAcknowledge = 'A';
constexpr char kRemember = 'M';
// Of a sighting.
constexpr uint8_t kCombined = 1;
constexpr uint8_t kUnwatched = 2;

template <std::integral Integer>
void Put(Integer value, ByteWriter& to) {
  to.Integer<Integer>(value);
}

void Put(std::string_view text, ByteWriter& to) { to.Text(text); }

void Put(SteadyTime time, ByteWriter& to) {
  to.Integer<int64_t>(time.time_since_epoch().count());
}

void Put(WallTime time, ByteWriter& to) {
  to.Integer<int64_t>(time.time_since_epoch().count());
}

void Put(const Moment& now, ByteWriter& to) {
  Put(now.steady, to);
  Put(now.wall, to);
}

void Put(const Sighting& sighting, ByteWriter& to) {
  to.Integer<uint64_t>(sighting.key.low);
  to.Integer<uint64_t>(sighting.key.high);
  to.Integer<uint64_t>(sighting.uid);
  to.Integer<uint64_t>(sighting.resource_version);
  Put(sighting.identity_time, to);
  Put(sighting.occurred_at, to);
  to.Integer<uint32_t>(sighting.count);
  to.Integer<uint8_t>(
      static_cast<uint8_t>((sighting.combined ? kCombined : 0) |
                           (sighting.unwatched ? kUnwatched : 0)));
  to.Integer<uint32_t>(sighting.series.tuple);
  to.Integer<uint32_t>(sighting.series.object);
}

void Put(const std::deque<Sighting>& sightings, ByteWriter& to) {
  to.Integer<uint32_t>(static_cast<uint32_t>(sightings.size()));
  for (const Sighting& sighting : sightings) Put(sighting, to);
}

void Put(const SeriesLabels& labels, ByteWriter& to) {
  to.Flag(labels.scope == Scope::kCluster);
  // The table cuts them as well, but a hostile one may be a megabyte.
  for (const std::string_view value :
       {labels.api_group, labels.kind, labels.object_namespace,
        labels.object_name, labels.reason, labels.type,
        labels.reporting_component}) {
    to.Text(CutLabel(value));
  }
}

void Put(const ListCommit& commit, ByteWriter& to) {
  to.Integer<uint64_t>(commit.resource_version);
  Put(commit.server_time, to);
  to.Flag(commit.new_epoch);
  to.Flag(commit.bridge);
  Put(commit.started, to);
}

void Put(const Ledger::Choice& choice, ByteWriter& to) {
  to.Text(choice.selector);
  to.Text(choice.filter);
}

void Put(const std::vector<Outbox::Sink>& sinks, ByteWriter& to) {
  PutSinks(sinks, to);
}

WallTime TakeWall(ByteReader& from) {
  return WallTime(std::chrono::microseconds(from.Time(0)));
}

// Reads and takes steps.
class Player {
 public:
  Player(std::string_view steps, std::chrono::nanoseconds shift, Ledger& ledger)
      : from_(steps), shift_(shift), ledger_(ledger) {}

  bool Play() {
    while (from_.ok() && from_.left() > 0) Step();
    return from_.Done();
  }

 private:
  void Step();
  void Commit();
  void Sinks();
  void Offer();
  void Acknowledge();
  void Remember();

  Moment TakeMoment() {
    Moment now;
    now.steady = TakeSteady();
    now.wall = TakeWall(from_);
    return now;
  }

  SteadyTime TakeSteady() {
    return SteadyTime(std::chrono::nanoseconds(from_.Time(shift_.count())));
  }

  Sighting TakeSighting() {
    Sighting sighting;
    sighting.key.low = from_.Integer<uint64_t>();
    sighting.key.high = from_.Integer<uint64_t>();
    sighting.uid = from_.Integer<uint64_t>();
    sighting.resource_version = from_.Integer<uint64_t>();
    sighting.identity_time = TakeWall(from_);
    sighting.occurred_at = TakeWall(from_);
    sighting.count = from_.Integer<uint32_t>();
    const auto flags = from_.Integer<uint8_t>();
    sighting.combined = (flags & kCombined) != 0;
    sighting.unwatched = (flags & kUnwatched) != 0;
    sighting.series.tuple = from_.Integer<uint32_t>();
    sighting.series.object = from_.Integer<uint32_t>();
    return sighting;
  }

  SeriesLabels TakeLabels() {
    SeriesLabels labels;
    labels.scope = from_.Flag() ? Scope::kCluster : Scope::kNamespaced;
    for (std::string_view* value :
         {&labels.api_group, &labels.kind, &labels.object_namespace,
          &labels.object_name, &labels.reason, &labels.type,
          &labels.reporting_component}) {
      *value = from_.Text();
    }
    return labels;
  }

  Ledger::Collection* TakeCollection() {
    Ledger::Collection* collection =
        ledger_.CollectionAt(from_.Integer<uint16_t>());
    if (collection == nullptr) from_.Fail();
    return collection;
  }

  // Whether the step is whole and fits the ledger.
  bool Sane(const Sighting& sighting) {
    if (!ledger_.Knows(sighting.series)) from_.Fail();
    return from_.ok();
  }

  ByteReader from_;
  const std::chrono::nanoseconds shift_;
  Ledger& ledger_;
};

void Player::Step() {
  const std::string_view step = from_.Raw(1);
  switch (step.front()) {
    case kIntern: {
      const SeriesLabels labels = TakeLabels();
      if (from_.ok()) ledger_.Intern(labels);
      return;
    }
    case kPreset: {
      const SeriesLabels labels = TakeLabels();
      const Moment now = TakeMoment();
      if (from_.ok()) ledger_.Preset(labels, now);
      return;
    }
    case kObserve:
    case kRemove: {
      Ledger::Collection* collection = TakeCollection();
      const Sighting sighting = TakeSighting();
      const Moment now = TakeMoment();
      if (step.front() == kRemove) {
        if (from_.ok()) ledger_.Remove(*collection, sighting, now);
      } else if (Sane(sighting)) {
        ledger_.Observe(*collection, sighting, now);
      }
      return;
    }
    case kProgress: {
      Ledger::Collection* collection = TakeCollection();
      const auto version = from_.Integer<uint64_t>();
      const Moment now = TakeMoment();
      if (from_.ok()) ledger_.Progress(*collection, version, now);
      return;
    }
    case kCompleteWatch: {
      Ledger::Collection* collection = TakeCollection();
      if (from_.ok()) ledger_.CompleteWatch(*collection);
      return;
    }
    case kCommit:
      return Commit();
    case kExpire: {
      const Moment now = TakeMoment();
      if (from_.ok()) ledger_.Expire(now);
      return;
    }
    case kSinks:
      return Sinks();
    case kOffer:
      return Offer();
    case kAcknowledge:
      return Acknowledge();
    case kRemember:
      return Remember();
    default:
      from_.Fail();
  }
}

void Player::Sinks() {
  std::vector<Outbox::Sink> sinks;
  if (TakeSinks(from_, sinks)) ledger_.SetSinks(sinks);
}

void Player::Offer() {
  const auto mask = from_.Integer<uint32_t>();
  const std::string_view occurrence = from_.Text();
  if (!DecodeOccurrence(occurrence)) from_.Fail();
  if (from_.ok()) ledger_.Offer(mask, std::string(occurrence));
}

void Player::Acknowledge() {
  const auto sink = from_.Integer<uint8_t>();
  const auto number = from_.Integer<uint64_t>();
  if (sink >= ledger_.outbox().sinks()) from_.Fail();
  if (from_.ok()) ledger_.Acknowledge(sink, number);
}

void Player::Remember() {
  const auto sink = from_.Integer<uint8_t>();
  const std::string_view name = from_.Text();
  const std::string_view text = from_.Text();
  if (sink >= ledger_.outbox().sinks()) from_.Fail();
  if (from_.ok() && !ledger_.Remember(sink, name, text)) from_.Fail();
}

void Player::Commit() {
  Ledger::Collection* collection = TakeCollection();
  ListCommit commit;
  commit.resource_version = from_.Integer<uint64_t>();
  commit.server_time = TakeWall(from_);
  commit.new_epoch = from_.Flag();
  commit.bridge = from_.Flag();
  commit.started = TakeSteady();
  Ledger::Choice choice;
  choice.selector = from_.Text();
  choice.filter = from_.Text();
  const Moment now = TakeMoment();
  const auto count = from_.Integer<uint32_t>();
  std::deque<Sighting> sightings;
  for (uint32_t i = 0; i < count; ++i) {
    sightings.push_back(TakeSighting());
    if (!Sane(sightings.back())) return;
  }
  if (from_.ok()) ledger_.Commit(*collection, sightings, commit, choice, now);
}

}  // namespace

template <typename... Fields>
void LedgerLog::Append(char step, const Fields&... fields) {
  if (overflowed_) return;
  steps_ += step;
  ByteWriter to(steps_);
  (Put(fields, to), ...);
  Limit();
}

void LedgerLog::Intern(const SeriesLabels& labels) { Append(kIntern, labels); }

void LedgerLog::Preset(const SeriesLabels& labels, const Moment& now) {
  Append(kPreset, labels, now);
}

void LedgerLog::Observe(uint16_t collection, const Sighting& sighting,
                        const Moment& now) {
  Append(kObserve, collection, sighting, now);
}

void LedgerLog::Remove(uint16_t collection, const Sighting& sighting,
                       const Moment& now) {
  Append(kRemove, collection, sighting, now);
}

void LedgerLog::Progress(uint16_t collection, uint64_t resource_version,
                         const Moment& now) {
  Append(kProgress, collection, resource_version, now);
}

void LedgerLog::CompleteWatch(uint16_t collection) {
  Append(kCompleteWatch, collection);
}

void LedgerLog::Commit(uint16_t collection,
                       const std::deque<Sighting>& sightings,
                       const ListCommit& commit, const Ledger::Choice& choice,
                       const Moment& now) {
  Append(kCommit, collection, commit, choice, now, sightings);
}

void LedgerLog::Expire(const Moment& now) { Append(kExpire, now); }

void LedgerLog::SetSinks(const std::vector<Outbox::Sink>& sinks) {
  Append(kSinks, sinks);
}

void LedgerLog::Offer(uint32_t mask, std::string_view occurrence) {
  Append(kOffer, mask, occurrence);
}

void LedgerLog::Acknowledge(size_t sink, uint64_t number) {
  Append(kAcknowledge, static_cast<uint8_t>(sink), number);
}

void LedgerLog::Remember(size_t sink, std::string_view name,
                         std::string_view text) {
  Append(kRemember, static_cast<uint8_t>(sink), name, text);
}

void LedgerLog::Limit() {
  if (steps_.size() < kManyBytes) return;
  if (steps_.size() > kMaxBytes) {
    overflowed_ = true;
    std::string().swap(steps_);
  }
  if (!std::exchange(woke_, true)) wake_();
}

std::string LedgerLog::Take() {
  woke_ = false;
  return std::exchange(steps_, {});
}

void LedgerLog::Restart() {
  Take();
  overflowed_ = false;
}

bool Replay(std::string_view steps, std::chrono::nanoseconds shift,
            Ledger& ledger) {
  return Player(steps, shift, ledger).Play();
}

}  // namespace kem

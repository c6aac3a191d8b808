#include "state/ledger_log.h"

#include <tuple>

#include "occurrences/occurrence.h"

namespace kem {
namespace {

// The flags of a sighting.
constexpr uint8_t kCombined = 1;
constexpr uint8_t kUnwatched = 2;
constexpr uint8_t kUndated = 4;

// Reads and takes steps.
class Player {
 public:
  Player(std::string_view steps, Ledger& ledger)
      : from_(steps), ledger_(ledger) {}

  bool Play() {
    while (from_.ok() && from_.left() > 0) Step();
    return from_.Done();
  }

 private:
  void Step();
  void StepOfSinks(LedgerStep kind);

  // Reads the fields in order, and calls `take` with them if they are valid.
  template <typename... Fields, typename Taker>
  void Take(const Taker& take) {
    std::tuple<Fields...> fields;
    std::apply([this](Fields&... field) { (Read(field), ...); }, fields);
    if (from_.ok()) std::apply(take, fields);
  }

  template <std::integral Integer>
  void Read(Integer& value) {
    value = from_.Integer<Integer>();
  }
  void Read(std::string_view& text) { text = from_.Text(); }
  void Read(SteadyTime& time) { time = from_.Steady(); }
  void Read(WallTime& time) { time = from_.Wall(); }
  void Read(Moment& now) {
    Read(now.steady);
    Read(now.wall);
  }
  void Read(Ledger::Collection*& collection) {
    collection = ledger_.CollectionAt(from_.Integer<uint16_t>());
    if (collection == nullptr) from_.Fail();
  }
  // The number of a sink.
  struct SinkNumber {
    uint8_t value = 0;
  };
  void Read(SinkNumber& sink) {
    Read(sink.value);
    if (sink.value >= ledger_.outbox().sinks()) from_.Fail();
  }
  void Read(std::vector<Outbox::Sink>& sinks) {
    if (!TakeSinks(from_, sinks)) from_.Fail();
  }
  void Read(Sighting& sighting);
  void Read(std::deque<Sighting>& sightings);
  void Read(SeriesLabels& labels);
  void Read(ListCommit& commit);
  void Read(Ledger::Choice& choice);
  void Read(std::vector<std::string>& names);
  void Read(SeriesOptions& options) {
    if (!TakeOptions(from_, options)) from_.Fail();
  }
  void Read(std::chrono::nanoseconds& shift) {
    shift = std::chrono::nanoseconds(from_.Integer<int64_t>());
  }

  ByteReader from_;
  Ledger& ledger_;
};

void Player::Read(Sighting& sighting) {
  Read(sighting.key.low);
  Read(sighting.key.high);
  Read(sighting.uid);
  Read(sighting.resource_version);
  Read(sighting.identity_time);
  Read(sighting.occurred_at);
  Read(sighting.count);
  const auto flags = from_.Integer<uint8_t>();
  sighting.combined = (flags & kCombined) != 0;
  sighting.unwatched = (flags & kUnwatched) != 0;
  sighting.undated = (flags & kUndated) != 0;
  Read(sighting.series.tuple);
  Read(sighting.series.object);
  if (!ledger_.Knows(sighting.series)) from_.Fail();
}

void Player::Read(std::deque<Sighting>& sightings) {
  const auto count = from_.Integer<uint32_t>();
  for (uint32_t i = 0; i < count && from_.ok(); ++i) {
    Read(sightings.emplace_back());
  }
}

void Player::Read(SeriesLabels& labels) {
  labels.scope = from_.Flag() ? Scope::kCluster : Scope::kNamespaced;
  for (std::string_view* value :
       {&labels.api_group, &labels.kind, &labels.object_namespace,
        &labels.object_name, &labels.reason, &labels.type,
        &labels.reporting_component}) {
    Read(*value);
  }
}

void Player::Read(ListCommit& commit) {
  Read(commit.resource_version);
  Read(commit.server_time);
  commit.new_epoch = from_.Flag();
  commit.bridge = from_.Flag();
  Read(commit.started);
}

void Player::Read(Ledger::Choice& choice) {
  choice.selector = from_.Text();
  choice.filter = from_.Text();
}

void Player::Read(std::vector<std::string>& names) {
  const auto count = from_.Integer<uint16_t>();
  for (uint16_t i = 0; i < count && from_.ok(); ++i) {
    names.emplace_back(from_.Text());
  }
}

void Player::Step() {
  using Collection = Ledger::Collection*;
  const auto kind = static_cast<LedgerStep>(from_.Raw(1).front());
  switch (kind) {
    case LedgerStep::kIntern:
      return Take<SeriesLabels>(
          [this](const auto& labels) { ledger_.Intern(labels); });
    case LedgerStep::kPreset:
      return Take<SeriesLabels, Moment>(
          [this](const auto&... step) { ledger_.Preset(step...); });
    case LedgerStep::kObserve:
      return Take<Collection, Sighting, Moment>(
          [this](Collection collection, const auto&... step) {
            ledger_.Observe(*collection, step...);
          });
    case LedgerStep::kRemove:
      return Take<Collection, Sighting, Moment>(
          [this](Collection collection, const auto&... step) {
            ledger_.Remove(*collection, step...);
          });
    case LedgerStep::kProgress:
      return Take<Collection, uint64_t, Moment>(
          [this](Collection collection, const auto&... step) {
            ledger_.Progress(*collection, step...);
          });
    case LedgerStep::kContact:
      return Take<Collection, SteadyTime>(
          [this](Collection collection, SteadyTime now) {
            ledger_.NoteContact(*collection, now);
          });
    case LedgerStep::kCommit:
      return Take<Collection, ListCommit, Ledger::Choice, Moment,
                  std::deque<Sighting>>(
          [this](Collection collection, const auto& commit, const auto& choice,
                 const auto& now, const auto& sightings) {
            ledger_.Commit(*collection, sightings, commit, choice, now);
          });
    case LedgerStep::kExpire:
      return Take<Moment>([this](const Moment& now) { ledger_.Expire(now); });
    case LedgerStep::kResume:
      return Take<SeriesOptions, std::vector<std::string>,
                  std::chrono::nanoseconds, Moment>(
          [this](const auto&... step) { ledger_.Resume(step...); });
    case LedgerStep::kForgetBaseline:
      return Take<Collection>([this](Collection collection) {
        ledger_.ForgetBaseline(*collection);
      });
    default:
      return StepOfSinks(kind);
  }
}

void Player::StepOfSinks(LedgerStep kind) {
  switch (kind) {
    case LedgerStep::kSinks:
      return Take<std::vector<Outbox::Sink>>(
          [this](const auto& sinks) { ledger_.SetSinks(sinks); });
    case LedgerStep::kOffer:
      return Take<uint32_t, std::string_view>(
          [this](uint32_t mask, std::string_view occurrence) {
            if (!DecodeOccurrence(occurrence)) return from_.Fail();
            ledger_.Offer(mask, OutboxEntryPtr::Copy(occurrence));
          });
    case LedgerStep::kAcknowledge:
      return Take<SinkNumber, uint64_t>(
          [this](SinkNumber sink, uint64_t entry) {
            ledger_.Acknowledge(sink.value, entry);
          });
    case LedgerStep::kCloseWindow:
      return Take<SinkNumber>(
          [this](SinkNumber sink) { ledger_.CloseWindow(sink.value); });
    case LedgerStep::kRemember:
      return Take<SinkNumber, std::string_view, std::string_view>(
          [this](SinkNumber sink, const auto&... step) {
            if (!ledger_.Remember(sink.value, step...)) from_.Fail();
          });
    default:
      from_.Fail();
  }
}

}  // namespace

void PutField(const Sighting& sighting, ByteWriter& to) {
  to.Integer<uint64_t>(sighting.key.low);
  to.Integer<uint64_t>(sighting.key.high);
  to.Integer<uint64_t>(sighting.uid);
  to.Integer<uint64_t>(sighting.resource_version);
  to.Time(sighting.identity_time);
  to.Time(sighting.occurred_at);
  to.Integer<uint32_t>(sighting.count);
  to.Integer<uint8_t>(
      static_cast<uint8_t>((sighting.combined ? kCombined : 0) |
                           (sighting.unwatched ? kUnwatched : 0) |
                           (sighting.undated ? kUndated : 0)));
  to.Integer<uint32_t>(sighting.series.tuple);
  to.Integer<uint32_t>(sighting.series.object);
}

void PutField(const std::deque<Sighting>& sightings, ByteWriter& to) {
  to.Integer<uint32_t>(static_cast<uint32_t>(sightings.size()));
  for (const Sighting& sighting : sightings) PutField(sighting, to);
}

void PutField(const SeriesLabels& labels, ByteWriter& to) {
  to.Flag(labels.scope == Scope::kCluster);
  // The table cuts them as well, but a hostile one may be a megabyte.
  for (const std::string_view value :
       {labels.api_group, labels.kind, labels.object_namespace,
        labels.object_name, labels.reason, labels.type,
        labels.reporting_component}) {
    to.Text(CutLabel(value));
  }
}

void PutField(const ListCommit& commit, ByteWriter& to) {
  to.Integer<uint64_t>(commit.resource_version);
  to.Time(commit.server_time);
  to.Flag(commit.new_epoch);
  to.Flag(commit.bridge);
  to.Time(commit.started);
}

void PutField(const Ledger::Choice& choice, ByteWriter& to) {
  to.Text(choice.selector);
  to.Text(choice.filter);
}

void PutField(const std::vector<Outbox::Sink>& sinks, ByteWriter& to) {
  PutSinks(sinks, to);
}

void PutField(const std::vector<std::string>& names, ByteWriter& to) {
  to.Integer<uint16_t>(static_cast<uint16_t>(names.size()));
  for (const std::string& name : names) to.Text(name);
}

void PutField(const SeriesOptions& options, ByteWriter& to) {
  to.Integer<int64_t>(options.initial_zero.count());
  to.Integer<uint64_t>(options.max_series);
  to.Integer<int64_t>(options.retention.count());
}

bool TakeOptions(ByteReader& from, SeriesOptions& options) {
  // More than flags allow, but safe to add to a time.
  constexpr std::chrono::seconds kLongest = std::chrono::hours(24 * 365 * 100);
  options.initial_zero = std::chrono::seconds(from.Integer<int64_t>());
  options.max_series = from.Integer<uint64_t>();
  options.retention = std::chrono::seconds(from.Integer<int64_t>());
  return from.ok() && options.initial_zero >= std::chrono::seconds(0) &&
         options.initial_zero <= kLongest &&
         options.retention >= std::chrono::seconds(0) &&
         options.retention <= kLongest;
}

void LedgerLog::Limit() {
  if (steps_.size() < kManyBytes) return;
  if (steps_.size() > kMaxBytes) {
    overflowed_ = true;
    steps_.clear();
    steps_.shrink_to_fit();
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

bool Replay(std::string_view steps, Ledger& ledger) {
  return Player(steps, ledger).Play();
}

}  // namespace kem

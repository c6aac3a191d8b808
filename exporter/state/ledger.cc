#include "state/ledger.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kLongest = std::chrono::hours(24 * 365 * 100);

// Appends what `save` appends, behind its length.
template <typename Save>
void PutPart(std::string& out, const Save& save) {
  const size_t at = out.size();
  ByteWriter to(out);
  to.Integer<uint64_t>(0);
  save();
  std::string length;
  ByteWriter(length).Integer<uint64_t>(out.size() - at - sizeof(uint64_t));
  out.replace(at, length.size(), length);
}

std::string_view TakePart(ByteReader& from) {
  return from.Raw(from.Integer<uint64_t>());
}

}  // namespace

Ledger::Ledger(const SeriesOptions& options, const Hasher& hash)
    : options_(options), hash_(hash), series_(std::in_place, options, hash) {}

Ledger::~Ledger() = default;

Ledger::Collection& Ledger::FindCollection(const std::string& name) {
  for (const auto& collection : collections_) {
    if (collection->name == name) return *collection;
  }
  Collection& collection =
      *collections_.emplace_back(std::make_unique<Collection>());
  collection.name = name;
  collection.number = static_cast<uint16_t>(collections_.size() - 1);
  return collection;
}

Ledger::Collection* Ledger::CollectionAt(uint16_t number) {
  return number < collections_.size() ? collections_[number].get() : nullptr;
}

void Ledger::KeepCollections(const std::vector<std::string>& names) {
  std::erase_if(collections_,
                [&](const std::unique_ptr<Collection>& collection) {
                  if (std::find(names.begin(), names.end(), collection->name) !=
                      names.end()) {
                    return false;
                  }
                  collection->tracker.ForEachLive(
                      [this](SeriesIds gone) { Leave(gone); });
                  return true;
                });
  for (size_t i = 0; i < collections_.size(); ++i) {
    collections_[i]->number = static_cast<uint16_t>(i);
  }
}

SeriesIds Ledger::Intern(const SeriesLabels& labels) {
  bool added = false;
  const SeriesIds ids = series_->Intern(labels, &added);
  if (added && log_) log_->Append(LedgerStep::kIntern, labels);
  return ids;
}

void Ledger::Preset(const SeriesLabels& labels, const Moment& now) {
  series_->Preset(labels, now);
  if (log_) log_->Append(LedgerStep::kPreset, labels, now);
}

void Ledger::Expire(const Moment& now) {
  series_->Expire(now.steady);
  if (log_) log_->Append(LedgerStep::kExpire, now);
}

Change Ledger::Observe(Collection& collection, const Sighting& sighting,
                       const Moment& now) {
  collection.point.Observe(sighting.resource_version, now.steady);
  const Change change = collection.tracker.Observe(sighting, now.steady);
  if (log_)
    log_->Append(LedgerStep::kObserve, collection.number, sighting, now);
  Count(sighting, change, now);
  return change;
}

Change Ledger::Remove(Collection& collection, const Sighting& sighting,
                      const Moment& now) {
  collection.point.Observe(sighting.resource_version, now.steady);
  const Change change = collection.tracker.Remove(sighting, now.steady);
  if (log_) log_->Append(LedgerStep::kRemove, collection.number, sighting, now);
  Leave(change.left);
  return change;
}

void Ledger::Progress(Collection& collection, uint64_t resource_version,
                      const Moment& now) {
  collection.point.Observe(resource_version, now.steady);
  if (log_)
    log_->Append(LedgerStep::kProgress, collection.number, resource_version,
                 now);
}

void Ledger::NoteContact(Collection& collection, SteadyTime now) {
  collection.whole_until = now;
  if (log_) log_->Append(LedgerStep::kContact, collection.number, now);
}

void Ledger::CompleteWatch(Collection& collection) {
  collection.point.Complete();
}

void Ledger::Commit(Collection& collection,
                    const std::deque<Sighting>& sightings,
                    const ListCommit& commit, const Choice& choice,
                    const Moment& now,
                    const EventTracker::OnChange& on_change) {
  collection.tracker.Replace(
      sightings, !collection.has_baseline || commit.new_epoch,
      commit.server_time, now.steady,
      [&](const Sighting& sighting, const Change& change) {
        Count(sighting, change, now);
        on_change(sighting, change);
      },
      [&](SeriesIds gone) { Leave(gone); });
  collection.has_baseline = true;
  collection.choice = choice;
  if (commit.bridge) {
    collection.point.Bridge(commit.resource_version, commit.started);
  } else {
    collection.point.Reset(commit.resource_version, commit.started);
  }
  if (log_)
    log_->Append(LedgerStep::kCommit, collection.number, commit, choice, now,
                 sightings);
}

void Ledger::SetSinks(const std::vector<Outbox::Sink>& sinks) {
  outbox_.SetSinks(sinks);
  if (log_) log_->Append(LedgerStep::kSinks, sinks);
}

void Ledger::Offer(uint32_t mask, std::string occurrence) {
  if (log_) log_->Append(LedgerStep::kOffer, mask, occurrence);
  outbox_.Offer(mask, std::move(occurrence));
}

void Ledger::Acknowledge(size_t sink, uint64_t number) {
  outbox_.Acknowledge(sink, number);
  if (log_)
    log_->Append(LedgerStep::kAcknowledge, static_cast<uint8_t>(sink), number);
}

bool Ledger::Remember(size_t sink, std::string_view name,
                      std::string_view text) {
  if (!outbox_.Remember(sink, name, text)) return false;
  if (log_)
    log_->Append(LedgerStep::kRemember, static_cast<uint8_t>(sink), name, text);
  return true;
}

void Ledger::Count(const Sighting& sighting, const Change& change,
                   const Moment& now) {
  if (!change.shown) return;
  if (sighting.series.tuple == SeriesIds::kNone) {
    filtered_ += change.delta;
    return Leave(change.left);
  }
  if (sighting.combined) combined_ += change.delta;
  if (change.replay && change.left == sighting.series) return;
  // The delta belongs to the labels that the Event has now.
  series_->Record(sighting.series, change.delta, sighting.occurred_at, now);
  if (change.left == sighting.series) return;
  Leave(change.left);
  series_->Join(sighting.series);
}

void Ledger::Leave(SeriesIds ids) {
  if (ids.tuple != SeriesIds::kNone) series_->Leave(ids);
}

void Ledger::StartLog(std::function<void()> wake) {
  log_ = std::make_unique<LedgerLog>(std::move(wake));
}

void Ledger::StopLog() { log_.reset(); }

void Ledger::Save(std::string& out) const {
  ByteWriter to(out);
  to.Integer<int64_t>(options_.initial_zero.count());
  to.Integer<uint64_t>(options_.max_series);
  to.Integer<int64_t>(options_.retention.count());
  for (const unsigned char byte : hash_.secret()) to.Integer<uint8_t>(byte);
  to.Integer<uint64_t>(combined_);
  to.Integer<uint64_t>(filtered_);
  PutPart(out, [&] { series_->Save(out); });
  PutPart(out, [&] { outbox_.Save(out); });
  to.Integer<uint16_t>(static_cast<uint16_t>(collections_.size()));
  for (const auto& collection : collections_) {
    to.Text(collection->name);
    to.Flag(collection->has_baseline);
    to.Text(collection->choice.selector);
    to.Text(collection->choice.filter);
    to.Integer<uint64_t>(collection->point.before_newest());
    to.Time(collection->point.before_newest_at());
    to.Integer<uint64_t>(collection->point.newest());
    to.Time(collection->point.newest_at());
    to.Time(collection->whole_until);
    PutPart(out, [&] { collection->tracker.Save(out); });
  }
}

std::unique_ptr<Ledger> Ledger::Load(std::string_view bytes,
                                     nanoseconds shift) {
  ByteReader from(bytes);
  SeriesOptions options;
  options.initial_zero = seconds(from.Integer<int64_t>());
  options.max_series = from.Integer<uint64_t>();
  options.retention = seconds(from.Integer<int64_t>());
  // More than flags allow, but safe to add to a time.
  if (options.initial_zero < seconds(0) || options.initial_zero > kLongest ||
      options.retention < seconds(0) || options.retention > kLongest) {
    return nullptr;
  }
  Hasher::Secret secret;
  for (unsigned char& byte : secret) byte = from.Integer<uint8_t>();
  auto ledger = std::make_unique<Ledger>(options, Hasher(secret));
  ledger->combined_ = from.Integer<uint64_t>();
  ledger->filtered_ = from.Integer<uint64_t>();
  if (!ledger->series_->Load(TakePart(from), shift)) return nullptr;
  if (!ledger->outbox_.Load(TakePart(from))) return nullptr;
  const auto count = from.Integer<uint16_t>();
  for (uint16_t i = 0; i < count && from.ok(); ++i) {
    Collection& collection = ledger->FindCollection(std::string(from.Text()));
    if (collection.number != i) return nullptr;  // the name twice
    collection.has_baseline = from.Flag();
    collection.choice.selector = from.Text();
    collection.choice.filter = from.Text();
    const auto resume = from.Integer<uint64_t>();
    collection.point.Reset(resume, from.Steady(shift));
    const auto newest = from.Integer<uint64_t>();
    collection.point.Observe(newest, from.Steady(shift));
    collection.whole_until = from.Steady(shift);
    const auto known = [&](SeriesIds ids) { return ledger->Knows(ids); };
    if (!collection.tracker.Load(TakePart(from), shift, known)) return nullptr;
  }
  return from.Done() ? std::move(ledger) : nullptr;
}

void Ledger::SetOptions(const SeriesOptions& options) {
  std::string bytes;
  series_->Save(bytes);
  options_ = options;
  series_.emplace(options, hash_);
  series_->Load(bytes, {});
}

}  // namespace kem

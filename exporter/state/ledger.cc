#include "state/ledger.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::hours kLongestDowntime{24 * 365 * 100};

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

void Ledger::Resume(const SeriesOptions& options,
                    const std::vector<std::string>& names, nanoseconds shift,
                    const Moment& now) {
  series_->Shift(shift);
  for (const auto& collection : collections_) {
    collection->tracker.Shift(shift);
    collection->point.Shift(shift);
    collection->whole_until = Shifted(collection->whole_until, shift);
  }
  options_ = options;
  series_->SetOptions(options);
  KeepCollections(names);
  for (const std::string& name : names) FindCollection(name);
  LimitTimes(now.wall + kMaxAhead);
  latest_ = now;
  if (log_) log_->Append(LedgerStep::kResume, options, names, shift, now);
}

void Ledger::LimitTimes(WallTime latest) {
  for (const auto& collection : collections_) {
    collection->tracker.LimitHorizon(latest);
  }
  series_->LimitLastSeen(latest);
}

// A wall clock that went back counts as one that did not move.
nanoseconds Ledger::ShiftUntil(const Moment& now) const {
  const auto passed = std::clamp<std::chrono::microseconds>(
      now.wall - latest_.wall, std::chrono::microseconds(0), kLongestDowntime);
  return now.steady - passed - latest_.steady;
}

void Ledger::ForgetBaseline(Collection& collection) {
  collection.has_baseline = false;
  if (log_) log_->Append(LedgerStep::kForgetBaseline, collection.number);
}

SeriesIds Ledger::Intern(const SeriesLabels& labels) {
  bool added = false;
  const SeriesIds ids = series_->Intern(labels, &added);
  if (added && log_) log_->Append(LedgerStep::kIntern, labels);
  return ids;
}

void Ledger::Preset(const SeriesLabels& labels, const Moment& now) {
  latest_ = now;
  series_->Preset(labels, now);
  if (log_) log_->Append(LedgerStep::kPreset, labels, now);
}

void Ledger::Expire(const Moment& now) {
  latest_ = now;
  series_->Expire(now.steady);
  if (log_) log_->Append(LedgerStep::kExpire, now);
}

Change Ledger::Observe(Collection& collection, const Sighting& sighting,
                       const Moment& now) {
  latest_ = now;
  collection.point.Observe(sighting.resource_version, now.steady);
  const Change change = collection.tracker.Observe(sighting, now);
  if (log_)
    log_->Append(LedgerStep::kObserve, collection.number, sighting, now);
  Count(sighting, change, now);
  return change;
}

Change Ledger::Remove(Collection& collection, const Sighting& sighting,
                      const Moment& now) {
  latest_ = now;
  collection.point.Observe(sighting.resource_version, now.steady);
  const Change change = collection.tracker.Remove(sighting, now);
  if (log_) log_->Append(LedgerStep::kRemove, collection.number, sighting, now);
  Leave(change.left);
  return change;
}

void Ledger::Progress(Collection& collection, uint64_t resource_version,
                      const Moment& now) {
  latest_ = now;
  collection.point.Observe(resource_version, now.steady);
  if (log_)
    log_->Append(LedgerStep::kProgress, collection.number, resource_version,
                 now);
}

void Ledger::NoteContact(Collection& collection, SteadyTime now) {
  collection.whole_until = now;
  if (log_) log_->Append(LedgerStep::kContact, collection.number, now);
}

void Ledger::Commit(Collection& collection,
                    const std::deque<Sighting>& sightings,
                    const ListCommit& commit, const Choice& choice,
                    const Moment& now,
                    const EventTracker::OnChange& on_change) {
  latest_ = now;
  collection.tracker.Replace(
      sightings, !collection.has_baseline || commit.new_epoch,
      commit.server_time, now,
      [&](const Sighting& sighting, const Change& change) {
        Count(sighting, change, now);
        on_change(sighting, change);
      },
      [&](SeriesIds gone) { Leave(gone); });
  if (!collection.has_baseline || commit.new_epoch) {
    collection.restarted = true;
  }
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

Leftovers Ledger::SetSinks(const std::vector<Outbox::Sink>& sinks) {
  if (log_) log_->Append(LedgerStep::kSinks, sinks);
  return outbox_.SetSinks(sinks);
}

void Ledger::Offer(uint32_t mask, const OutboxEntryPtr& occurrence) {
  if (log_) log_->Append(LedgerStep::kOffer, mask, occurrence->bytes);
  outbox_.Offer(mask, occurrence);
}

void Ledger::Acknowledge(size_t sink, uint64_t number) {
  outbox_.Acknowledge(sink, number);
  if (log_)
    log_->Append(LedgerStep::kAcknowledge, static_cast<uint8_t>(sink), number);
}

bool Ledger::CloseWindow(size_t sink) {
  if (!outbox_.CloseWindow(sink)) return false;
  if (log_) log_->Append(LedgerStep::kCloseWindow, static_cast<uint8_t>(sink));
  return true;
}

DeliveryMark Ledger::Reached(DeliveryMark mark) const {
  for (const auto& collection : collections_) {
    if (!collection->restarted) continue;
    for (DeliveryMark::Versions* versions : {&mark.whole, &mark.last}) {
      const auto found = versions->find(collection->name);
      if (found != versions->end() &&
          found->second > collection->point.newest()) {
        versions->erase(found);
      }
    }
  }
  return mark;
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
  series_->Record(sighting.series, change.delta,
                  LimitAhead(sighting.occurred_at, now.wall), now);
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

}  // namespace kem

#include "state/ledger.h"

#include <algorithm>
#include <utility>

#include "state/ledger_log.h"

namespace kem {

Ledger::Ledger(const SeriesOptions& options, const Hasher& hash)
    : options_(options), hash_(hash), series_(std::in_place, options, hash) {}

Ledger::~Ledger() = default;

Ledger::Watch& Ledger::FindWatch(const std::string& name) {
  for (const auto& watch : watches_) {
    if (watch->name == name) return *watch;
  }
  Watch& watch = *watches_.emplace_back(std::make_unique<Watch>());
  watch.name = name;
  watch.number = static_cast<uint16_t>(watches_.size() - 1);
  return watch;
}

Ledger::Watch* Ledger::WatchAt(uint16_t number) {
  return number < watches_.size() ? watches_[number].get() : nullptr;
}

void Ledger::KeepWatches(const std::vector<std::string>& names) {
  std::erase_if(watches_, [&](const std::unique_ptr<Watch>& watch) {
    if (std::find(names.begin(), names.end(), watch->name) != names.end()) {
      return false;
    }
    watch->tracker.ForEachLive([this](SeriesIds gone) { Leave(gone); });
    return true;
  });
  for (size_t i = 0; i < watches_.size(); ++i) {
    watches_[i]->number = static_cast<uint16_t>(i);
  }
}

SeriesIds Ledger::Intern(const SeriesLabels& labels) {
  bool added = false;
  const SeriesIds ids = series_->Intern(labels, &added);
  if (added && log_) log_->Intern(labels);
  return ids;
}

void Ledger::Preset(const SeriesLabels& labels, const Moment& now) {
  series_->Preset(labels, now);
  if (log_) log_->Preset(labels, now);
}

void Ledger::Expire(const Moment& now) {
  series_->Expire(now.steady);
  if (log_) log_->Expire(now);
}

Change Ledger::Observe(Watch& watch, const Sighting& sighting,
                       const Moment& now) {
  watch.point.Observe(sighting.resource_version, now.steady);
  const Change change = watch.tracker.Observe(sighting, now.steady);
  if (log_) log_->Observe(watch.number, sighting, now);
  Count(sighting, change, now);
  return change;
}

Change Ledger::Remove(Watch& watch, const Sighting& sighting,
                      const Moment& now) {
  watch.point.Observe(sighting.resource_version, now.steady);
  const Change change = watch.tracker.Remove(sighting, now.steady);
  if (log_) log_->Remove(watch.number, sighting, now);
  Leave(change.left);
  return change;
}

void Ledger::Progress(Watch& watch, uint64_t resource_version,
                      const Moment& now) {
  watch.point.Observe(resource_version, now.steady);
  if (log_) log_->Progress(watch.number, resource_version, now);
}

void Ledger::Commit(Watch& watch, const std::deque<Sighting>& sightings,
                    const ListCommit& commit, const Choice& choice,
                    const Moment& now,
                    const EventTracker::OnChange& on_change) {
  watch.tracker.Replace(
      sightings, !watch.has_baseline || commit.new_epoch, commit.server_time,
      now.steady,
      [&](const Sighting& sighting, const Change& change) {
        Count(sighting, change, now);
        on_change(sighting, change);
      },
      [&](SeriesIds gone) { Leave(gone); });
  watch.has_baseline = true;
  watch.choice = choice;
  if (commit.bridge) {
    watch.point.Bridge(commit.resource_version, now.steady);
  } else {
    watch.point.Reset(commit.resource_version, now.steady);
  }
  if (log_) log_->Commit(watch.number, sightings, commit, choice, now);
}

void Ledger::SetSinks(const std::vector<Outbox::Sink>& sinks) {
  outbox_.SetSinks(sinks);
  if (log_) log_->SetSinks(sinks);
}

void Ledger::Offer(uint32_t mask, std::string occurrence) {
  if (log_) log_->Offer(mask, occurrence);
  outbox_.Offer(mask, std::move(occurrence));
}

void Ledger::Acknowledge(size_t sink, uint64_t number) {
  outbox_.Acknowledge(sink, number);
  if (log_) log_->Acknowledge(sink, number);
}

bool Ledger::Remember(size_t sink, std::string_view name,
                      std::string_view text) {
  if (!outbox_.Remember(sink, name, text)) return false;
  if (log_) log_->Remember(sink, name, text);
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

}  // namespace kem

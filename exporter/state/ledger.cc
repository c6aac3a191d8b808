#include "state/ledger.h"

namespace kem {

Ledger::Watch& Ledger::FindWatch(const std::string& name) {
  for (const auto& watch : watches_) {
    if (watch->name == name) return *watch;
  }
  return *watches_.emplace_back(std::make_unique<Watch>(name));
}

Change Ledger::Observe(Watch& watch, const Sighting& sighting,
                       const Moment& now) {
  watch.point.Observe(sighting.resource_version, now.steady);
  const Change change = watch.tracker.Observe(sighting, now.steady);
  Count(sighting, change, now);
  return change;
}

Change Ledger::Remove(Watch& watch, const Sighting& sighting, SteadyTime now) {
  watch.point.Observe(sighting.resource_version, now);
  const Change change = watch.tracker.Remove(sighting, now);
  Leave(change.left);
  return change;
}

void Ledger::Progress(Watch& watch, uint64_t resource_version, SteadyTime now) {
  watch.point.Observe(resource_version, now);
}

void Ledger::Commit(Watch& watch, const std::deque<Sighting>& sightings,
                    const ListCommit& commit, const Moment& now,
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
  watch.point.Reset(commit.resource_version, now.steady);
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
  series_.Record(sighting.series, change.delta, sighting.occurred_at, now);
  if (change.left == sighting.series) return;
  Leave(change.left);
  series_.Join(sighting.series);
}

void Ledger::Leave(SeriesIds ids) {
  if (ids.tuple != SeriesIds::kNone) series_.Leave(ids);
}

}  // namespace kem

// What was counted and what must be remembered to count on: the trackers of all
// watches and the series. One machine whose every step is one of the calls
// below, so that a step can be written down and taken again after a restart.
// Used by the pipelines, which decide what an Event is about, and by the
// scrape, which reads the series. Knows nothing of JSON, scopes or files.
//
// Not thread-safe: guarded by its owner's mutex. Nothing here fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "frames/object_sink.h"
#include "frames/resume_point.h"
#include "occurrences/event_tracker.h"
#include "series/series_table.h"

namespace kem {

class Ledger {
 public:
  // What one watch knows of its collection.
  struct Watch {
    explicit Watch(std::string watched) : name(std::move(watched)) {}

    std::string name;
    EventTracker tracker;
    ResumePoint point;
    bool has_baseline = false;
  };

  Ledger(const SeriesOptions& options, const Hasher& hash)
      : series_(options, hash) {}

  // The watch of this name, made when it is new. Valid as long as the ledger.
  Watch& FindWatch(const std::string& name);

  // The series of these labels; shown from the first Event on that is in them.
  SeriesIds Intern(const SeriesLabels& labels) {
    return series_.Intern(labels);
  }
  // See SeriesTable. Note is no step: nothing depends on it.
  void Expire(SteadyTime now) { series_.Expire(now); }
  void Note(SeriesIds ids, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at) {
    series_.Note(ids, event_namespace, event_name, occurred_at);
  }

  // A frame's Event, ADDED or MODIFIED, and DELETED; and a frame that is
  // neither but tells of a version.
  Change Observe(Watch& watch, const Sighting& sighting, const Moment& now);
  Change Remove(Watch& watch, const Sighting& sighting, SteadyTime now);
  void Progress(Watch& watch, uint64_t resource_version, SteadyTime now);

  // A whole list. Calls on_change for each sighting.
  void Commit(Watch& watch, const std::deque<Sighting>& sightings,
              const ListCommit& commit, const Moment& now,
              const EventTracker::OnChange& on_change);

  const SeriesTable& series() const { return series_; }
  // Occurrences of Events that their recorder combined.
  uint64_t combined() const { return combined_; }
  // Occurrences of Events that had no series.
  uint64_t filtered() const { return filtered_; }

 private:
  void Count(const Sighting& sighting, const Change& change, const Moment& now);
  void Leave(SeriesIds ids);

  SeriesTable series_;
  std::vector<std::unique_ptr<Watch>> watches_;
  uint64_t combined_ = 0;
  uint64_t filtered_ = 0;
};

}  // namespace kem

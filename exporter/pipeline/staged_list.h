// One list from its first page to its commit: the sightings, the offers to
// sinks, the recent Events, and the filters that the list began with. Nothing
// of it is exposed before the commit. Used by Pipeline, which holds the mutex
// where that is needed.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "events/event_filter.h"
#include "occurrences/event_tracker.h"
#include "occurrences/occurrence.h"
#include "occurrences/recent_events.h"
#include "occurrences/staged_offers.h"

namespace kem {

using SharedFilter = std::shared_ptr<const EventFilter>;

// Only these have a series by object.
inline bool IsClusterScoped(const Sighting& sighting) {
  return sighting.series.object != SeriesIds::kNone;
}

// Owned by the reflector's thread.
class StagedList {
 public:
  // `sinks` are the filters that the masks of offers are about.
  explicit StagedList(SharedFilter filter, std::vector<SharedFilter> sinks = {})
      : filter_(std::move(filter)), sinks_(std::move(sinks)) {}

  void Add(const Sighting& sighting, const Event& event, WallTime now);
  // What the last sighting added, for the sinks of `mask`.
  void Offer(uint32_t mask, const Occurrence& occurrence) {
    offers_.Add(mask, occurrence);
  }
  // For each sighting, when the list is committed.
  void Count(const Sighting& sighting, const Change& change);

  // Gives the offers to `take`, oldest first; `bytes` are empty for what was
  // dropped. A reload may have replaced the sinks by `sinks`: `match` then
  // finds the mask again.
  using Match = std::function<uint32_t(const Occurrence&)>;
  void TakeOffers(const std::vector<SharedFilter>& sinks, const Match& match,
                  const StagedOffers::Taker& take);

  const std::deque<Sighting>& sightings() const { return sightings_; }
  RecentEvents& recent() { return recent_; }
  const SharedFilter& filter() const { return filter_; }

 private:
  SharedFilter filter_;
  std::vector<SharedFilter> sinks_;
  std::deque<Sighting> sightings_;
  RecentEvents recent_;
  StagedOffers offers_;
};

}  // namespace kem

// One sight of an Event, what changes by it, and the series it is shown in.
// Made by the pipeline, counted by EventTracker, logged by the ledger.
// Plain values; they have no methods.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/hash.h"

namespace kem {

// The series an Event is shown in, as the caller's numbers.
struct SeriesIds {
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t tuple = kNone;
  uint32_t object = kNone;  // kNone for namespaced objects
  bool operator==(const SeriesIds&) const = default;
};

// One sight of an Event: ADDED, MODIFIED or a list item.
struct Sighting {
  Hash128 key;       // of namespace and name
  uint64_t uid = 0;  // hash
  uint64_t resource_version = 0;
  WallTime identity_time;
  WallTime occurred_at;
  uint32_t count = 1;  // within [1, 2^31-1]
  // The recorder's collection of similar Events; for the caller.
  bool combined = false;
  // A list item that the field selector excluded until now: its earlier
  // occurrences are not counted.
  bool unwatched = false;
  // The identity time is in the future (kMaxAhead), so it does not show when
  // the Event began.
  bool undated = false;
  // kNone for an Event that is remembered but not shown.
  SeriesIds series;
};

struct Change {
  // New occurrences.
  uint32_t delta = 0;
  // There may be more of them, up to the Event's count: its past is not known.
  bool at_least = false;
  // The sight was not newer than the stored one; delta is 0.
  bool replay = false;
  // The Event moves from the series `left` to the sighting's, which may be the
  // same.
  bool shown = false;
  // kNone when the Event was in no series.
  SeriesIds left;
};

}  // namespace kem

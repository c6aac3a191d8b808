// When the occurrences of an object's Events were, as inline SVG: a lane for
// each reason, a symbol for what happened within a two-hundredth of the time.
// Needs neither script nor color: shapes differ, and a symbol has its times
// as a hint. Used by the page of an object. Bounded for any Events.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "page/page_sums.h"

namespace kem {

inline constexpr size_t kMaxLanes = 20;

struct TimeRange {
  WallTime from;
  WallTime to;       // later, and excluded, unless
  bool open = true;  // it is the end of what is known
};

// From the earliest occurrence, as far as it may be known, to `now`, and within
// what is set; an hour at least, and without `since` 14 days at most. For
// Events of an old dump to the latest occurrence.
TimeRange RangeOf(const std::vector<EventRow>& rows,
                  std::optional<WallTime> since, std::optional<WallTime> until,
                  WallTime known_since, WallTime now);

// The first kMaxLanes of the reasons. Occurrences outside of the range are left
// out, except that those dated later are at an open end.
void PutTimeline(const std::vector<ReasonHistory>& reasons,
                 const TimeRange& range, std::string& out);

}  // namespace kem

// The table of the page at /: a row for each Event, whose message opens for the
// details without a script. Used by RenderPage only.
// Does not select or sort.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "occurrences/recent_events.h"

namespace kem {

// Appends the table and its legend.
void PutEventTable(const std::vector<RecentEvent>& events, WallTime now,
                   std::string& out);

}  // namespace kem

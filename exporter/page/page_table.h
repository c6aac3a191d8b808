// The table of the page at /: one row an Event, its message to be opened for
// the rest, without a script. Used by RenderPage only; does not choose or sort
// what it is given.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "occurrences/recent_events.h"

namespace kem {

// Appends the table and what explains it.
void PutEventTable(const std::vector<RecentEvent>& events, WallTime now,
                   std::string& out);

}  // namespace kem

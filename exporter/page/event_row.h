// One Event as a page shows it, and why it needs attention. Used by all pages
// and their sums.
// No HTML here, and no question to an EventSource.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "events/reason_catalogue.h"
#include "history/event_source.h"
#include "occurrences/recent_events.h"

namespace kem {

struct EventRow {
  FoundEvent event;
  uint64_t occurrences = 1;  // those to show: of the last hour, or all
  bool at_least = false;     // there may be more of them
};

// Of the last hour; `received` is when this process learned of the Event.
EventRow RowOf(const RecentEvent& event);
// With all its occurrences.
EventRow RowOf(FoundEvent event);

// The row of the reason catalogue; null when there is none.
const CatalogueReason* FindKnown(const FoundEvent& event);

// Why the Event needs attention: "Warning", or for a Normal one the severity of
// its reason ("critical", "warning"). Empty when it does not.
std::string_view Trouble(const FoundEvent& event, const CatalogueReason* known);

}  // namespace kem

// Sums over the Events of the last hour, and what the catalogue knows of each,
// for the page at /. Used by RenderPage only. No HTML here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "events/reason_catalogue.h"
#include "occurrences/recent_events.h"

namespace kem {

// The row of the reason catalogue; null when there is none.
const CatalogueReason* FindKnown(const RecentEvent& event);

// Why the Event needs attention: "Warning", or for a Normal one the severity of
// its reason ("critical", "warning"). Empty when it does not.
std::string_view Trouble(const RecentEvent& event,
                         const CatalogueReason* known);

struct PageSums {
  uint64_t occurrences = 0;
  uint64_t trouble = 0;  // of them
  bool at_least = false;
  size_t objects = 0;
};
PageSums AddUp(const RecentEvents::View& recent);

// One reason for objects of one kind.
struct PageReason {
  std::string_view kind;
  std::string_view reason;
  std::string_view trouble;
  uint64_t occurrences = 0;
  size_t objects = 0;
};
// At most 8, the most frequent first. Valid as long as `events`.
std::vector<PageReason> TopReasons(const std::vector<RecentEvent>& events);

}  // namespace kem

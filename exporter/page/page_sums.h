// What the Events of the last hour add up to, and what is known of each, for
// the page at /. Used by RenderPage and its table only; knows nothing of HTML
// and counts nothing that a metric shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "events/reason_catalogue.h"
#include "occurrences/recent_events.h"

namespace kem {

// The catalogue's row about such Events; null where it has none.
const CatalogueReason* FindKnown(const RecentEvent& event);

// Why a person should look at it: "Warning", or how bad a Normal one is known
// to be ("critical", "warning"). Empty when there is no reason to.
std::string_view Trouble(const RecentEvent& event,
                         const CatalogueReason* known);

struct PageSums {
  uint64_t occurrences = 0;
  uint64_t trouble = 0;  // of them
  bool at_least = false;
  size_t objects = 0;
};
PageSums AddUp(const RecentEvents::View& recent);

// What happened how often to how many objects of one kind.
struct PageReason {
  std::string_view kind;
  std::string_view reason;
  std::string_view trouble;
  uint64_t occurrences = 0;
  size_t objects = 0;
};
// The most frequent first, a few of them. Valid as long as `events`.
std::vector<PageReason> TopReasons(const std::vector<RecentEvent>& events);

}  // namespace kem

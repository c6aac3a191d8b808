// What the Events of the last hour add up to, for the page at /. Used by
// RenderPage only; knows nothing of HTML.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "occurrences/recent_events.h"

namespace kem {

bool IsWarning(const RecentEvent& event);

struct PageSums {
  uint64_t occurrences = 0;
  uint64_t warnings = 0;  // of them
  bool at_least = false;
  size_t objects = 0;
};
PageSums AddUp(const RecentEvents::View& recent);

// What happened how often to how many objects of one kind.
struct PageReason {
  std::string_view kind;
  std::string_view reason;
  bool warning = false;
  uint64_t occurrences = 0;
  size_t objects = 0;
};
// The most frequent first, a few of them. Valid as long as `events`.
std::vector<PageReason> TopReasons(const std::vector<RecentEvent>& events);

}  // namespace kem

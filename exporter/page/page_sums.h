// Sums over the Events of a page: of the last hour by reason and kind, of one
// object by reason. Used by the pages and the timeline.
// No HTML here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "page/event_row.h"

namespace kem {

struct PageSums {
  uint64_t occurrences = 0;
  uint64_t trouble = 0;  // of them
  bool at_least = false;
  size_t objects = 0;
};
PageSums AddUp(const std::vector<EventRow>& rows);

// One reason for objects of one kind.
struct PageReason {
  std::string_view kind;
  std::string_view reason;
  std::string_view trouble;
  uint64_t occurrences = 0;
  size_t objects = 0;
};
// At most 8, the most frequent first. Valid as long as `rows`.
std::vector<PageReason> TopReasons(const std::vector<EventRow>& rows);

// One reason of one object.
struct ReasonHistory {
  std::string_view reason;
  std::string_view trouble;  // of the newest Event that has one
  uint64_t occurrences = 0;
  WallTime first_seen;
  std::vector<const EventRow*> rows;  // the latest received first; not empty
};
// Those that need attention first, then the latest received. `rows` are in the
// order of FoundEvents. Valid as long as `rows`.
std::vector<ReasonHistory> ByReason(const std::vector<EventRow>& rows);

}  // namespace kem

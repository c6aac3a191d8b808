// The filter bar above the Events: a GET form that needs no script. Used by the
// page at / and its lists. Does not check what the filter says
// (history/event_query.h does).
#pragma once

#include <string>

#include "page/page.h"

namespace kem {

// The form keeps what `filter` has. Time ranges are offered as far back as
// data.known_since.
void PutFilterBar(const PageData& data, const PageFilter& filter,
                  std::string& out);

// The ranges that links and the form offer, the shortest first: those that are
// not longer than what is known, and one more.
struct PageRange {
  const char* text;  // a value of `since`
  std::chrono::minutes length;
};
std::vector<PageRange> KnownRanges(const PageData& data);

}  // namespace kem

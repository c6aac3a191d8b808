// The pages that need an EventSource: reads the URL, asks, and renders the
// answer or why there is none. Used by endpoints/, on the thread of queries.
// Keeps nothing between calls. Related Events are only those that name the
// object exactly.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "history/event_source.h"
#include "page/page.h"

namespace kem {

struct PageAnswer {
  int status = 200;  // of HTTP: 400, 404 and 503 have a page too
  std::string html;
};

// Whether the query of a URL makes / a list. It may be invalid.
bool IsFiltered(std::string_view url_query);

// The list at /, for a query that IsFiltered. `data` is for RenderList.
PageAnswer AnswerList(const PageData& data, std::string_view url_query,
                      EventSource& source, const std::stop_token& stop);

// The page at /objects/<kind>/<name>. Of the query it reads namespace (without
// it the object is cluster-scoped), group, since and until. When kQueryLimit
// is over, the page has a sentence in place of the related Events.
PageAnswer AnswerObject(const PageData& data, const std::string& kind,
                        const std::string& name, std::string_view url_query,
                        EventSource& source, const Clock& clock,
                        const std::stop_token& stop);

}  // namespace kem

// The routes /api/v1/events and /api/v1/objects (API.md): an EventQuery from
// the URL, the answer of an EventSource as JSON. Used by ServeWorld. Runs on
// the thread that HttpRoute::answer names.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "history/event_source.h"
#include "web/http_server.h"

namespace kem {

// The source of the moment, never null.
using SourceGetter = std::function<std::shared_ptr<EventSource>()>;

// `clock` must outlive the routes.
std::vector<HttpRoute> EventApiRoutes(const SourceGetter& source,
                                      const Clock& clock);

}  // namespace kem

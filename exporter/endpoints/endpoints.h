// What the HTTP server serves of an EventWorld: the exposition and the page.
// Used by the app and by --events.from, which add the health endpoints. Reads
// the world, and changes nothing in it.
#pragma once

#include <functional>
#include <memory>

#include "config/flags.h"
#include "history/event_source.h"
#include "metrics/exposition.h"
#include "page/page.h"
#include "pipeline/pipeline.h"
#include "web/http_server.h"

namespace kem {

// All must outlive the HttpContent.
struct ServedWorld {
  const Options& options;
  EventWorld& world;
  const OwnMetrics& own;
  const Clock& clock;
  // Called for each scrape.
  std::function<const SeriesTable&()> series;
  // Called before each piece of an exposition is sent.
  std::function<void()> before_send;
  // Fills in the watches, and what else differs. Called last, without the
  // world's mutex.
  std::function<void(PageData&)> complete_page;
  // The history of the moment, or null when there is none, for which the memory
  // of the last hour answers. May be null itself.
  std::function<std::shared_ptr<EventSource>()> history = nullptr;
};

// `scrape` and `routes`; the rest is the caller's.
HttpContent ServeWorld(const ServedWorld& served);

// Null when it cannot be started, which is logged. `stats` must outlive it.
std::unique_ptr<HttpServer> StartServer(const Options& options,
                                        HttpContent content, HttpStats& stats);

}  // namespace kem

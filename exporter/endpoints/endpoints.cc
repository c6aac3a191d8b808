#include "endpoints/endpoints.h"

#include <mutex>
#include <string>
#include <utility>

#include "base/log.h"
#include "endpoints/event_api.h"
#include "history/recent_source.h"
#include "version.h"

namespace kem {
namespace {

Scrape StartScrape(const ServedWorld& served, const std::string& accept) {
  const TextStyle style{PrefersOpenMetrics(accept),
                        served.options.created_timestamps};
  auto exposition = std::make_shared<Exposition>(
      served.world.mutex, served.series(), served.own, served.clock, style);
  return Scrape{
      ContentType(style.open_metrics),
      [exposition, before_send = served.before_send](std::string& out) {
        const bool more = exposition->Next(out);
        before_send();
        return more;
      }};
}

PageData MakePage(const ServedWorld& served, SteadyTime started) {
  const EventWorld& world = served.world;
  PageData data;
  data.version = kVersion;
  data.telemetry_path = served.options.telemetry_path;
  data.now = served.clock.WallNow();
  data.uptime = std::chrono::duration_cast<std::chrono::seconds>(
      served.clock.SteadyNow() - started);
  data.tracked = world.occurrences.tracked;
  {
    const std::lock_guard guard(world.mutex);
    data.recent = world.recent.Newest(data.now);
    data.filtered = world.filter->options() != FilterOptions();
    data.cluster_scoped = world.filter->options().cluster_scoped;
  }
  served.complete_page(data);
  return data;
}

// The history if there is one, else the memory.
SourceGetter SourceOf(const ServedWorld& served) {
  const auto view = [served] {
    const std::lock_guard guard(served.world.mutex);
    return served.world.recent.Newest(served.clock.WallNow());
  };
  const auto known_since = [served] {
    return served.options.events_from.empty()
               ? served.clock.WallNow() - RecentEvents::kWindow
               : WallTime::min();
  };
  auto memory = std::make_shared<RecentSource>(view, known_since);
  return [memory, history = served.history]() -> std::shared_ptr<EventSource> {
    std::shared_ptr<EventSource> kept = history ? history() : nullptr;
    return kept ? kept : memory;
  };
}

}  // namespace

HttpContent ServeWorld(const ServedWorld& served) {
  HttpContent content;
  content.scrape = [served](const std::string& accept) {
    return StartScrape(served, accept);
  };
  content.routes.push_back(
      {"/", [served, started = served.clock.SteadyNow()](
                const RouteRequest&, const std::stop_token&) {
         return RouteAnswer{.content_type = "text/html; charset=utf-8",
                            .body = RenderPage(MakePage(served, started))};
       }});
  for (HttpRoute& route : EventApiRoutes(SourceOf(served), served.clock)) {
    content.routes.push_back(std::move(route));
  }
  return content;
}

std::unique_ptr<HttpServer> StartServer(const Options& options,
                                        HttpContent content, HttpStats& stats) {
  Result<std::unique_ptr<HttpServer>> server =
      HttpServer::Start({options.listen_address,
                         options.telemetry_path,
                         options.web_config_file,
                         {}},
                        std::move(content), stats);
  if (!server) {
    LogError("Starting the HTTP server failed",
             {{"error", server.error().message}});
    return nullptr;
  }
  LogInfo("Listening on", {{"address", (*server)->address()}});
  return std::move(*server);
}

}  // namespace kem

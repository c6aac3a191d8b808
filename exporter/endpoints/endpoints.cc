#include "endpoints/endpoints.h"

#include <mutex>
#include <string>
#include <utility>

#include "base/log.h"
#include "endpoints/event_api.h"
#include "history/recent_source.h"
#include "page/event_pages.h"
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

// Without `recent`, which few pages need.
PageData MakePage(const ServedWorld& served, SteadyTime started,
                  WallTime known_since) {
  const EventWorld& world = served.world;
  PageData data;
  data.version = kVersion;
  data.telemetry_path = served.options.telemetry_path;
  data.grafana_url = served.options.grafana_url;
  data.now = served.clock.WallNow();
  data.known_since = known_since;
  data.uptime = std::chrono::duration_cast<std::chrono::seconds>(
      served.clock.SteadyNow() - started);
  data.tracked = world.occurrences.tracked;
  {
    const std::lock_guard guard(world.mutex);
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

RouteAnswer Html(PageAnswer answer) {
  return {answer.status, "text/html; charset=utf-8", std::move(answer.html)};
}

std::vector<HttpRoute> PageRoutes(const ServedWorld& served,
                                  const SourceGetter& source) {
  const auto make = [served,
                     started = served.clock.SteadyNow()](EventSource& events) {
    return MakePage(served, started, events.KnownSince());
  };
  const auto list = [served, source, make](const RouteRequest& request,
                                           const std::stop_token& stop) {
    const std::shared_ptr<EventSource> events = source();
    PageData data = make(*events);
    if (IsFiltered(request.query)) {
      return Html(AnswerList(data, request.query, *events, stop));
    }
    {
      const std::lock_guard guard(served.world.mutex);
      data.recent = served.world.recent.Newest(data.now);
    }
    return Html({200, RenderPage(data)});
  };
  const auto object = [served, source, make](const RouteRequest& request,
                                             const std::stop_token& stop) {
    if (request.segments.size() != 2) {
      return RouteAnswer{404, "text/plain; charset=utf-8", "Not found\n"};
    }
    const std::shared_ptr<EventSource> events = source();
    return Html(AnswerObject(make(*events), request.segments[0],
                             request.segments[1], request.query, *events,
                             served.clock, stop));
  };
  return {{"/", list}, {"/objects/", object}};
}

}  // namespace

HttpContent ServeWorld(const ServedWorld& served) {
  HttpContent content;
  content.scrape = [served](const std::string& accept) {
    return StartScrape(served, accept);
  };
  const SourceGetter source = SourceOf(served);
  content.routes = PageRoutes(served, source);
  for (HttpRoute& route : EventApiRoutes(source, served.clock)) {
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

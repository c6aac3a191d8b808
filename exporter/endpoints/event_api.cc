#include "endpoints/event_api.h"

#include <string>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "history/event_json.h"
#include "history/event_query.h"

namespace kem {
namespace {

RouteAnswer Json(int status, std::string body) {
  return {status, "application/json", std::move(body)};
}

// Prometheus' status codes and errorTypes.
RouteAnswer Refusal(const Error& error) {
  if (error.code == ErrorCode::kRejected) {
    return Json(400, ErrorJson("bad_data", error.message));
  }
  const bool internal = error.code == ErrorCode::kInternal;
  return Json(internal ? 500 : 503,
              ErrorJson(internal ? "internal" : "unavailable", error.message));
}

// A weight of 0 excludes a type (RFC 9110, 12.4.2).
bool IsExcluded(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::string one = AsciiLower(Trim(TakeUntil(parameters, ';'), " \t"));
    if (one.starts_with("q=0") &&
        one.find_first_not_of("0.", 2) == std::string::npos) {
      return true;
    }
  }
  return false;
}

// Whether an Accept header's value allows JSON: the most specific range counts.
bool AcceptsJson(std::string_view accept) {
  static constexpr std::string_view kRanges[] = {"application/json",
                                                 "application/*", "*/*"};
  if (Trim(accept, " \t,").empty()) return true;
  size_t best = std::size(kRanges);
  bool accepts = false;
  while (!accept.empty()) {
    std::string_view parameters = TakeUntil(accept, ',');
    const std::string range =
        AsciiLower(Trim(TakeUntil(parameters, ';'), " \t"));
    for (size_t i = 0; i < best; ++i) {
      if (range != kRanges[i]) continue;
      best = i;
      accepts = !IsExcluded(parameters);
    }
  }
  return accepts;
}

// Asks for half as many until the answer is not too large: the others are on
// the next page. A refusal when one alone is too large.
template <typename Find, typename Render>
RouteAnswer Ask(EventSource& source, EventQuery query, Find find, Render render,
                const std::stop_token& stop) {
  for (; query.limit > 0; query.limit /= 2) {
    auto found = (source.*find)(query, stop);
    if (!found) return Refusal(found.error());
    std::string body = render(std::move(*found), source.KnownSince());
    if (!body.empty()) return Json(200, std::move(body));
  }
  return Json(503, ErrorJson("unavailable",
                             "one Event is larger than 6 MiB; filter to leave "
                             "it out"));
}

// `find` is FindEvents or FindObjects, `render` makes JSON of what it returns.
template <typename Find, typename Render>
HttpRoute ApiRoute(std::string path, SourceGetter source, const Clock& clock,
                   Find find, Render render) {
  return {std::move(path),
          [source = std::move(source), &clock, find, render](
              const RouteRequest& request, const std::stop_token& stop) {
            if (!AcceptsJson(request.accept)) {
              return Json(406, ErrorJson("not_acceptable",
                                         "the answer is JSON; send Accept: "
                                         "application/json"));
            }
            const Result<EventQuery> query =
                ParseEventQuery(request.query, clock.WallNow());
            if (!query) return Refusal(query.error());
            const std::shared_ptr<EventSource> from = source();
            return Ask(*from, *query, find, render, stop);
          }};
}

}  // namespace

std::vector<HttpRoute> EventApiRoutes(const SourceGetter& source,
                                      const Clock& clock) {
  return {ApiRoute("/api/v1/events", source, clock, &EventSource::FindEvents,
                   EventsJson),
          ApiRoute("/api/v1/objects", source, clock, &EventSource::FindObjects,
                   ObjectsJson)};
}

}  // namespace kem

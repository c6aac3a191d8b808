// An EventQuery as the query string of a URL, for the API and the pages: reads
// what people, agents and Grafana write, and writes links to other pages of an
// answer. API.md describes the parameters. "namespace=-" selects cluster-scoped
// objects; a time is RFC 3339, a duration that means ago, or Unix seconds or
// milliseconds. As in Prometheus, other parameters are ignored; so are empty
// values, because a form sends all of its fields. Does not read paths, and
// finds no Events (event_source.h).
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "history/event_source.h"

namespace kem {

// Of one value, in bytes. A name of Kubernetes has at most 253.
inline constexpr size_t kMaxQueryValue = 512;
inline constexpr size_t kMaxQueryCursor = 1024;
inline constexpr size_t kMaxQueryWords = 16;

// Reads what follows the '?', which may be empty. `now` is what durations count
// from. The error is kRejected, one sentence for the client, with at most 64
// bytes of what it sent, made safe. Thread-safe, as all of this file.
Result<EventQuery> ParseEventQuery(std::string_view url_query, WallTime now);

// One parameter as the client wrote it, to show it again: also what
// ParseEventQuery rejects. Empty when it is absent, or not encoded.
std::string UrlParameter(std::string_view url_query, std::string_view name);

// What ParseEventQuery reads as the same query, with absolute times: without
// '?', and empty for EventQuery().
std::string ToUrlQuery(const EventQuery& query);

}  // namespace kem

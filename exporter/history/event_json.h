// What was found, as the JSON of the API (API.md, openapi.yaml): the envelope
// of Prometheus' API, and for an Event the field names of core/v1. Used by
// endpoints/event_api.h. Knows no HTTP.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "history/event_source.h"

namespace kem {

inline constexpr size_t kMaxJson = size_t{6} << 20;

// `known_since` is EventSource::KnownSince(); WallTime::min() leaves it out.
// Bytes that are not UTF-8 become U+FFFD, hidden characters \u escapes.
// Frees each item of `found` once it is written. Empty when the text would be
// larger than kMaxJson, which takes hostile messages.
// Thread-safe, as all of this file.
std::string EventsJson(FoundEvents found, WallTime known_since);
std::string ObjectsJson(FoundObjects found, WallTime known_since);

// `type` is Prometheus' errorType.
std::string ErrorJson(std::string_view type, const std::string& message);

}  // namespace kem

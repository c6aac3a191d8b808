// Kubernetes' Time ("2006-01-02T15:04:05Z") and MicroTime (six more digits)
// and the HTTP Date header, to and from WallTime. Used by the Event decoder on
// the hot path, so it neither allocates nor knows about locales.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kem {

// Any RFC 3339 time with up to nine fraction digits (cut to microseconds) and
// `Z` or a numeric offset. Empty when `text` is anything else. Years 1 to 9999.
std::optional<WallTime> ParseRfc3339(std::string_view text);

// "Mon, 23 Nov 2026 12:53:29 GMT", the one form RFC 9110 lets servers send.
// Empty when `text` is anything else.
std::optional<WallTime> ParseHttpDate(std::string_view text);

// "2026-11-23T12:53:29.123Z": milliseconds, UTC.
std::string FormatRfc3339Millis(WallTime time);
// "2026-11-23T12:53:29Z": Kubernetes' Time.
std::string FormatRfc3339Seconds(WallTime time);

}  // namespace kem

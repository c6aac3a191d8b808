// Kubernetes' Time ("2006-01-02T15:04:05Z"), MicroTime (six more digits) and
// the HTTP Date header, to and from WallTime. Parsing is on the hot path of the
// Event decoder, so it does not allocate and ignores the locale.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kem {

// Any RFC 3339 time with up to nine fraction digits (cut to microseconds) and
// `Z` or a numeric offset, of the years 1 to 9999; else empty.
std::optional<WallTime> ParseRfc3339(std::string_view text);

// "Mon, 23 Nov 2026 12:53:29 GMT", the only form that RFC 9110 allows servers
// to send; else empty.
std::optional<WallTime> ParseHttpDate(std::string_view text);

// "2026-11-23T12:53:29.123Z": milliseconds, UTC. As the two below, writes times
// outside of the years 1 to 9999 as the first or last moment of these.
std::string FormatRfc3339Millis(WallTime time);
// "2026-11-23T12:53:29.123456Z": Kubernetes' MicroTime, which needs all digits
// (k8s.io/apimachinery pkg/apis/meta/v1/micro_time.go).
std::string FormatRfc3339Micros(WallTime time);
// "2026-11-23T12:53:29Z": Kubernetes' Time.
std::string FormatRfc3339Seconds(WallTime time);
// What ParseHttpDate reads; for the years 1 to 9999.
std::string FormatHttpDate(WallTime time);

}  // namespace kem

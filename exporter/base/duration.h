// Durations of flags and files: "75s", "1h30m", "1.5s", "100us", "0", in the
// syntax of Go's time.ParseDuration that Prometheus tools use, and "14d", in
// days of 24 hours. Times of day, signs and so negative spans are not
// supported.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace kem {

// Empty when `text` is not a duration, or is over 10,000 hours. Digits below a
// nanosecond are cut off, as in Go. Thread-safe.
std::optional<std::chrono::nanoseconds> ParseNanoseconds(std::string_view text);

// The same for an option that counts milliseconds: empty also for a duration
// with a part of one, which would become another value. Thread-safe.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace kem

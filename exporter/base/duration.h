// Durations of flags: "75s", "5m", "1h30m", "500ms", "0", in the syntax of
// Go's time.ParseDuration that Prometheus tools use. Times of day and negative
// spans are not supported.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace kem {

// Empty when `text` is not a duration, or is over 10,000 hours. Thread-safe.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace kem

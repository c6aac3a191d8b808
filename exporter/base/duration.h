// Durations as flags take them: "75s", "5m", "1h30m", "500ms", "0". The words
// of Go's time.ParseDuration that users of Prometheus tools expect. Not for
// times of day and not for negative spans.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace kem {

// Empty when `text` is no duration, or one over 10,000 hours.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

}  // namespace kem

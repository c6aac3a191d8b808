#include "base/duration.h"

#include <charconv>
#include <cstdint>

namespace kem {
namespace {

// Removes the unit at the front of `text`; 0 when there is none.
int64_t TakeUnitMillis(std::string_view& text) {
  const auto take = [&](std::string_view unit) {
    if (!text.starts_with(unit)) return false;
    text.remove_prefix(unit.size());
    return true;
  };
  if (take("ms")) return 1;
  if (take("s")) return 1000;
  if (take("m")) return 60'000;
  if (take("h")) return 3'600'000;
  return 0;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.empty()) return std::nullopt;
  constexpr int64_t kLimit = 10'000LL * 3'600'000;
  int64_t total = 0;
  while (!text.empty()) {
    uint32_t number = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    const int64_t unit = TakeUnitMillis(text);
    if (unit == 0) return std::nullopt;
    total += number * unit;
    if (total > kLimit) return std::nullopt;
  }
  return std::chrono::milliseconds(total);
}

}  // namespace kem

#include "base/duration.h"

#include <cstdint>

#include "base/ascii.h"

namespace kem {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr double kLimit = 10'000 * 3.6e12;  // nanoseconds
// A double has no more.
constexpr size_t kMaxDigits = 15;

// Removes the unit at the front of `text` and returns its nanoseconds; 0 when
// there is none.
int64_t TakeUnit(std::string_view& text) {
  static constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"ns", 1},
      {"us", 1000},
      {"\u00b5s", 1000},  // the micro sign
      {"\u03bcs", 1000},  // the Greek letter
      {"ms", 1'000'000},
      {"s", 1'000'000'000},
      {"m", 60'000'000'000},
      {"h", 3'600'000'000'000},
      {"d", 86'400'000'000'000}};
  for (const auto& [unit, nanos] : kUnits) {
    if (text.starts_with(unit)) {
      text.remove_prefix(unit.size());
      return nanos;
    }
  }
  return 0;
}

std::string_view TakeDigits(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && IsAsciiDigit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

}  // namespace

std::optional<nanoseconds> ParseNanoseconds(std::string_view text) {
  if (text == "0") return nanoseconds(0);
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  while (!text.empty()) {
    const std::string_view whole = TakeDigits(text);
    std::string_view part;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      part = TakeDigits(text);
    }
    const int64_t unit = TakeUnit(text);
    if (unit == 0 || whole.size() + part.size() == 0) return std::nullopt;
    if (whole.size() > kMaxDigits) return std::nullopt;
    const int64_t count = ParseNumber<int64_t>(whole).value_or(0);
    if (static_cast<double>(count) * static_cast<double>(unit) > kLimit) {
      return std::nullopt;
    }
    total += count * unit;
    double weight = static_cast<double>(unit);
    double fraction = 0;
    for (const char digit : part.substr(0, kMaxDigits)) {
      fraction = fraction * 10 + (digit - '0');
      weight /= 10;
    }
    total += static_cast<int64_t>(fraction * weight);
    if (static_cast<double>(total) > kLimit) return std::nullopt;
  }
  return nanoseconds(total);
}

std::optional<milliseconds> ParseDuration(std::string_view text) {
  const std::optional<nanoseconds> exact = ParseNanoseconds(text);
  if (!exact || *exact % milliseconds(1) != nanoseconds(0)) {
    return std::nullopt;
  }
  return duration_cast<milliseconds>(*exact);
}

}  // namespace kem

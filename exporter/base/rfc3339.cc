#include "base/rfc3339.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace kem {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 12> kMonths = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

// Four digits hold these years; the days of WallTime::min() in microseconds
// overflow.
constexpr WallTime kFirst = std::chrono::sys_days(std::chrono::January / 1 / 1);
constexpr WallTime kLast =
    std::chrono::sys_days(std::chrono::January / 1 / 10000) - microseconds(1);

// Reads `width` digits at `at`; -1 when there is another character.
int Digits(std::string_view text, size_t at, size_t width) {
  if (at + width > text.size()) return -1;
  int value = 0;
  for (size_t i = at; i < at + width; ++i) {
    const char c = text[i];
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<WallTime> Assemble(int year, int month, int day, int hour,
                                 int minute, int second) {
  const std::chrono::year_month_day date{
      std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
      std::chrono::day{static_cast<unsigned>(day)}};
  // 60 is a leap second.
  if (year < 1 || !date.ok() || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  return WallTime(std::chrono::sys_days(date)) + hours(hour) + minutes(minute) +
         seconds(second);
}

// Reads an optional ".123456789" at `at` and advances `at` past it.
std::optional<microseconds> Fraction(std::string_view text, size_t& at) {
  if (at >= text.size() || text[at] != '.') return microseconds(0);
  const size_t first = ++at;
  int64_t value = 0;
  int64_t unit = 100000;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    value += (text[at] - '0') * unit;
    unit /= 10;
    ++at;
  }
  if (at == first || at - first > 9) return std::nullopt;
  return microseconds(value);
}

}  // namespace

std::optional<WallTime> ParseRfc3339(std::string_view text) {
  if (text.size() < 20 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return std::nullopt;
  }
  std::optional<WallTime> time =
      Assemble(Digits(text, 0, 4), Digits(text, 5, 2), Digits(text, 8, 2),
               Digits(text, 11, 2), Digits(text, 14, 2), Digits(text, 17, 2));
  if (!time) return std::nullopt;
  size_t at = 19;
  const std::optional<microseconds> fraction = Fraction(text, at);
  if (!fraction || at >= text.size()) return std::nullopt;
  *time += *fraction;
  const std::string_view zone = text.substr(at);
  if (zone == "Z" || zone == "z") return time;
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') ||
      zone[3] != ':') {
    return std::nullopt;
  }
  const int offset_hours = Digits(zone, 1, 2);
  const int offset_minutes = Digits(zone, 4, 2);
  if (offset_hours < 0 || offset_hours > 23 || offset_minutes < 0 ||
      offset_minutes > 59) {
    return std::nullopt;
  }
  const minutes offset = hours(offset_hours) + minutes(offset_minutes);
  return zone[0] == '+' ? *time - offset : *time + offset;
}

std::optional<WallTime> ParseHttpDate(std::string_view text) {
  if (text.size() != 29 || text[3] != ',' || text.substr(25) != " GMT" ||
      text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  int month = 0;
  for (size_t i = 0; i < kMonths.size(); ++i) {
    if (text.substr(8, 3) == kMonths[i]) month = static_cast<int>(i) + 1;
  }
  return Assemble(Digits(text, 12, 4), month, Digits(text, 5, 2),
                  Digits(text, 17, 2), Digits(text, 20, 2),
                  Digits(text, 23, 2));
}

std::string FormatRfc3339Micros(WallTime time) {
  time = std::clamp(time, kFirst, kLast);
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(
      std::chrono::floor<std::chrono::microseconds>(time - day));
  std::array<char, 64> text{};
  std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%06ldZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), clock.hours().count(),
      clock.minutes().count(), clock.seconds().count(),
      clock.subseconds().count());
  return text.data();
}

std::string FormatRfc3339Millis(WallTime time) {
  std::string text = FormatRfc3339Micros(time);
  text.erase(text.size() - 4) += 'Z';
  return text;
}

std::string FormatRfc3339Seconds(WallTime time) {
  std::string text = FormatRfc3339Micros(time);
  text.erase(text.rfind('.')) += 'Z';
  return text;
}

std::string FormatHttpDate(WallTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::string iso = FormatRfc3339Seconds(time);
  std::string text(kWeekdays[std::chrono::weekday(day).c_encoding()]);
  text.append(", ").append(iso, 8, 2).append(" ");
  text.append(kMonths[static_cast<unsigned>(date.month()) - 1]).append(" ");
  text.append(iso, 0, 4).append(" ").append(iso, 11, 8).append(" GMT");
  return text;
}

}  // namespace kem

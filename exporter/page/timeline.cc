#include "page/timeline.h"

#include <algorithm>
#include <map>

#include "page/event_table.h"
#include "page/page_text.h"

namespace kem {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

// Pixels. The width is the page's: places along it are in percent.
constexpr int kLane = 40;
constexpr int kLabel = 14;
constexpr int kLine = 28;  // of the symbols
constexpr int kAxis = 22;
// In hundredths of a percent: a symbol has room on both sides.
constexpr int64_t kLeft = 200;
constexpr int64_t kWidth = 9600;
constexpr int64_t kColumns = 200;

constexpr minutes kSteps[] = {minutes(5), minutes(10), minutes(15), minutes(30),
                              hours(1),   hours(2),    hours(3),    hours(6),
                              hours(12),  days(1),     days(2),     days(3),
                              days(7)};
constexpr int64_t kMaxTicks = 7;

// What happened within one column.
struct Column {
  WallTime first;
  WallTime last;
  uint64_t occurrences = 0;
  bool trouble = false;
};

std::vector<Jump> JumpsOf(const EventRow& row) {
  const FoundEvent& event = row.event;
  if (!event.jumps.empty()) return event.jumps;
  return {{event.last_seen, static_cast<uint32_t>(std::min<uint64_t>(
                                row.occurrences, UINT32_MAX))}};
}

class Timeline {
 public:
  Timeline(const TimeRange& range, std::string& out)
      : range_(range), out_(out) {}

  void Open(size_t lanes) {
    Put(out_,
        {"<svg class=\"timeline\" role=\"img\" aria-label=\"Timeline: the "
         "table of Events has the same\" width=\"100%\" height=\"",
         std::to_string(lanes * kLane + kAxis),
         "\">\n<defs><path id=\"t\" d=\"M0-7 7 6H-7Z\"/><circle "
         "id=\"o\" r=\"5\"/></defs>\n"});
  }

  void Axis(size_t lanes) {
    const auto height = std::to_string(lanes * kLane);
    const std::string label = std::to_string(lanes * kLane + kAxis - 6);
    const minutes step = Step();
    const auto since = range_.from.time_since_epoch();
    for (auto at = std::chrono::ceil<minutes>(since) / step * step;
         at <= range_.to.time_since_epoch(); at += step) {
      if (at < since) continue;
      const WallTime time(at);
      const std::string x = X(time);
      Put(out_, {"<line class=\"tick\" x1=\"", x, "\" x2=\"", x,
                 "\" y1=\"0\" y2=\"", height, "\"/><text class=\"when\" x=\"",
                 x, "\" y=\"", label, "\" text-anchor=\"", Anchor(time), "\">",
                 Label(time, step), "</text>\n"});
    }
  }

  void Lane(const ReasonHistory& reason, size_t number) {
    const auto y = [number](int below) {
      return std::to_string(static_cast<int>(number) * kLane + below);
    };
    Put(out_, {"<line class=\"lane\" x1=\"0\" x2=\"100%\" y1=\"", y(kLine),
               "\" y2=\"", y(kLine), "\"/><text",
               reason.trouble.empty() ? "" : " class=\"warn\"", " x=\"4\" y=\"",
               y(kLabel), "\">", ShortText(reason.reason), ", ",
               NumberText(reason.occurrences), "</text>\n"});
    std::map<int64_t, Column> columns;
    for (const EventRow* row : reason.rows) {
      Span(*row, y(kLine - 1));
      Collect(*row, columns);
    }
    for (const auto& [place, column] : columns) {
      Put(out_, {"<g", column.trouble ? " class=\"warn\"" : "", "><title>",
                 Plural(column.occurrences, "occurrence", "occurrences"), ", ",
                 TimeText(column.first)});
      if (TimeText(column.first) != TimeText(column.last)) {
        Put(out_, {" to ", TimeText(column.last)});
      }
      Put(out_, {" UTC</title><use href=\"#", column.trouble ? "t" : "o",
                 "\" x=\"", X(column.last), "\" y=\"", y(kLine), "\"/></g>\n"});
    }
  }

 private:
  // Hundredths of a percent, from 0 to kWidth.
  int64_t Place(WallTime time) const {
    const auto length = (range_.to - range_.from).count();
    const auto after =
        (std::clamp(time, range_.from, range_.to) - range_.from).count();
    // Microseconds of 10,000 years times kWidth do not fit.
    return static_cast<int64_t>(static_cast<double>(after) /
                                static_cast<double>(length) * kWidth);
  }
  static std::string Percent(int64_t hundredths) {
    const std::string rest = std::to_string(100 + hundredths % 100);
    return std::to_string(hundredths / 100) + "." + rest.substr(1) + "%";
  }
  std::string X(WallTime time) const { return Percent(kLeft + Place(time)); }

  // The Event existed between its first and last occurrence, although not all
  // of those between may be known.
  void Span(const EventRow& row, const std::string& y) {
    const FoundEvent& event = row.event;
    if (event.last_seen <= std::max(event.first_seen, range_.from)) return;
    const int64_t from = Place(event.first_seen);
    const int64_t width = Place(event.last_seen) - from;
    if (width <= 0) return;
    Put(out_, {"<rect class=\"span\" x=\"", Percent(kLeft + from), "\" y=\"", y,
               "\" width=\"", Percent(width), "\" height=\"2\"/>\n"});
  }

  void Collect(const EventRow& row, std::map<int64_t, Column>& columns) const {
    const bool trouble = !Trouble(row.event, FindKnown(row.event)).empty();
    for (const Jump& jump : JumpsOf(row)) {
      if (jump.at < range_.from) continue;
      if (!range_.open && jump.at >= range_.to) continue;
      const int64_t place = Place(jump.at) * kColumns / (kWidth + 1);
      const auto [at, added] =
          columns.try_emplace(place, Column{jump.at, jump.at, 0, trouble});
      Column& column = at->second;
      column.first = std::min(column.first, jump.at);
      column.last = std::max(column.last, jump.at);
      column.occurrences += jump.delta;
      column.trouble |= trouble;
    }
  }

  minutes Step() const {
    const auto length = std::chrono::ceil<minutes>(range_.to - range_.from);
    for (const minutes step : kSteps) {
      if (length / step < kMaxTicks) return step;
    }
    const minutes week = kSteps[std::size(kSteps) - 1];
    return week * (length / (week * kMaxTicks) + 1);
  }
  static std::string Label(WallTime time, minutes step) {
    const std::string text = TimeText(time);  // "2026-11-23 10:07:46"
    std::string clock = text.substr(11, 5);
    if (step < days(1) && clock != "00:00") return clock;
    return step < days(28) ? text.substr(5, 5) : text.substr(0, 10);
  }
  // Labels at the ends stay within the picture.
  const char* Anchor(WallTime time) const {
    const int64_t place = Place(time);
    if (place < kWidth / 16) return "start";
    return place > kWidth * 15 / 16 ? "end" : "middle";
  }

  const TimeRange range_;
  std::string& out_;
};

}  // namespace

TimeRange RangeOf(const std::vector<EventRow>& rows,
                  std::optional<WallTime> since, std::optional<WallTime> until,
                  WallTime known_since, WallTime now) {
  constexpr days kLongest{14};
  WallTime earliest = now;
  WallTime latest = WallTime::min();
  for (const EventRow& row : rows) {
    earliest = std::min(earliest, std::max(row.event.first_seen, known_since));
    for (const Jump& jump : JumpsOf(row)) {
      earliest = std::min(earliest, jump.at);
      latest = std::max(latest, jump.at);
    }
  }
  TimeRange range;
  range.to = until.value_or(now);
  range.open = !until;
  if (!since && !until && !rows.empty() && latest < now - kLongest) {
    range.to = latest;
  }
  const auto hour = std::chrono::floor<hours>(earliest);
  range.from = since.value_or(std::max<WallTime>(hour, range.to - kLongest));
  if (range.to - range.from < hours(1)) range.from = range.to - hours(1);
  return range;
}

void PutTimeline(const std::vector<ReasonHistory>& reasons,
                 const TimeRange& range, std::string& out) {
  const size_t lanes = std::min(reasons.size(), kMaxLanes);
  Timeline timeline(range, out);
  timeline.Open(lanes);
  timeline.Axis(lanes);
  for (size_t i = 0; i < lanes; ++i) timeline.Lane(reasons[i], i);
  out += "</svg>\n";
}

}  // namespace kem

// What a scrape's text looks like: the text format 0.0.4 or OpenMetrics 1.0,
// and the pieces that both are made of. Used by the series table and by the
// exporter's own metrics, so that the two halves of a scrape agree. Does not
// decide which one a client gets: see metrics/negotiation.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "series/families.h"

namespace kem {

struct TextStyle {
  bool open_metrics = false;
  // Counters tell when they began; OpenMetrics only.
  bool created = false;
};

// Where a scrape of the event series stands; begins at the first family's head.
struct RenderCursor {
  TextStyle style;
  size_t section = 0;  // a family's rows of one kind
  uint32_t row = 0;
  bool head_done = false;
  std::optional<uint32_t> expiries;  // of the table when it started
};

// HELP and TYPE; in OpenMetrics UNIT too, where the name ends with one, and a
// counter's name without "_total".
void AppendHead(const FamilyInfo& info, const TextStyle& style,
                std::string& out);
// A family's name in OpenMetrics.
std::string_view BaseName(const FamilyInfo& info);

void AppendInteger(uint64_t value, std::string& out);
// Seconds with as many fraction digits as it takes; never a locale's comma.
void AppendTimestamp(WallTime time, std::string& out);

}  // namespace kem

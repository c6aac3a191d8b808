// The text format 0.0.4 and OpenMetrics 1.0: what differs, and the parts of
// both. Used by the series table and by the exporter's own metrics, so that the
// two halves of a scrape agree. metrics/exposition.h selects the format.
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
  // Adds _created to counters; OpenMetrics only.
  bool created = false;
};

// The position of a scrape in the event series.
struct RenderCursor {
  TextStyle style;
  size_t section = 0;  // a family's rows of one kind
  uint32_t row = 0;
  bool head_done = false;
  std::optional<uint32_t> expiries;  // of the table when it started
};

// HELP and TYPE. OpenMetrics also has UNIT when the name ends with one, and
// counters without "_total".
void AppendHead(const FamilyInfo& info, const TextStyle& style,
                std::string& out);
// A family's name in OpenMetrics.
std::string_view BaseName(const FamilyInfo& info);

void AppendInteger(uint64_t value, std::string& out);
// Seconds with as many decimals as needed, in no locale.
void AppendTimestamp(WallTime time, std::string& out);

}  // namespace kem

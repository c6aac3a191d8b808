// Options of a series table, and the counts of its series. Used by the ledger
// and by the exporter's own metrics. Has no flags: config/option_table.cc maps
// them to these options.
#pragma once

#include <chrono>
#include <cstddef>

#include "series/families.h"

namespace kem {

struct SeriesOptions {
  // A new counter is exposed as 0 for this long, so that a Prometheus that
  // scrapes at least that often sees the first increase.
  std::chrono::seconds initial_zero{75};
  // Of one family. Occurrences beyond it count in additional overflow series,
  // one for each scope and type.
  size_t max_series = 50'000;
  // A series expires when it has no Events and nothing was recorded for this
  // long; 0: never.
  std::chrono::seconds retention = std::chrono::hours(24);
  // Keep exemplars, about 150 bytes a counter.
  bool exemplars = false;
};

struct SeriesCounts {
  PerFamily shown{};       // series in a scrape
  PerFamily overflowed{};  // occurrences counted in overflow series
};

}  // namespace kem

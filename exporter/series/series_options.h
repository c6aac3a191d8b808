// What a series table is told at the start, and what it tells of its size. Used
// by those who make one and by the exporter's own metrics. Which flags give the
// options is said in option_table.cc.
#pragma once

#include <chrono>
#include <cstddef>

#include "series/families.h"

namespace kem {

struct SeriesOptions {
  // A counter shows 0 for so long after its birth, then its value, so that
  // every Prometheus that scrapes at least that often sees the first increment.
  std::chrono::seconds initial_zero{75};
  // Series of one family. Past it occurrences count in one overflow series a
  // scope and type, which comes on top.
  size_t max_series = 50'000;
  // A series in which nothing was recorded for so long, and that no Event is
  // in, goes away; 0: never.
  std::chrono::seconds retention = std::chrono::hours(24);
  // Keep what Note tells, about 150 bytes a counter.
  bool exemplars = false;
};

struct SeriesCounts {
  PerFamily shown{};       // series that a scrape gets
  PerFamily overflowed{};  // occurrences counted in overflow series
};

}  // namespace kem

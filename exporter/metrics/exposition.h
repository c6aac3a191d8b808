// One scrape in pieces: the event series, then the exporter's own metrics, in
// the text format or OpenMetrics. Takes the mutex for one piece at a time, so
// that a slow reader never blocks counting. Made for each scrape. No HTTP here,
// but what its Accept header selects. There is no protobuf: a scraper that
// accepts nothing else gets the text format.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "metrics/own_metrics.h"
#include "series/series_table.h"

namespace kem {

// Used by one thread. All arguments must outlive it.
class Exposition {
 public:
  static constexpr size_t kPieceBytes = size_t{64} << 10;

  // `mutex` guards `series`.
  Exposition(std::mutex& mutex, const SeriesTable& series,
             const OwnMetrics& own, const Clock& clock,
             const TextStyle& style = {})
      : mutex_(mutex), series_(series), own_(own), now_(clock.SteadyNow()) {
    cursor_.style = style;
  }

  // Appends the next piece to `out`, which must be empty. False with the last.
  bool Next(std::string& out) {
    {
      const std::lock_guard guard(mutex_);
      if (series_.Render(cursor_, kPieceBytes, now_, out)) return true;
    }
    own_.Render(out, cursor_.style);
    if (cursor_.style.open_metrics) out += "# EOF\n";
    return false;
  }

 private:
  std::mutex& mutex_;
  const SeriesTable& series_;
  const OwnMetrics& own_;
  // One moment decides which new counters of the scrape are still 0.
  const SteadyTime now_;
  RenderCursor cursor_;
};

// Whether a scraper prefers OpenMetrics 1.0 to the text format, by its Accept
// header, as client_golang's expfmt decides. Takes any text: malformed elements
// do not count.
bool PrefersOpenMetrics(std::string_view accept);

std::string ContentType(bool open_metrics);

}  // namespace kem

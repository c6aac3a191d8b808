// The series of the four event families: which label tuples exist and what
// their values are. Used by the pipeline, which counts into it, by the scrape,
// which renders it piece by piece, and by the state, which saves it. Knows
// nothing of Events or of HTTP.
//
// Not thread-safe: guarded by its owner's mutex. The scrape takes that mutex
// for one piece at a time, so that counting never waits for a slow reader.
// The same calls with the same times make the same table, numbers included.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/hash.h"
#include "occurrences/event_tracker.h"
#include "series/exemplars.h"
#include "series/label_text.h"
#include "series/series_options.h"
#include "series/series_rows.h"
#include "series/text_style.h"

namespace kem {

class SeriesTable {
 public:
  SeriesTable(const SeriesOptions& options, const Hasher& hash);

  // The numbers of the tuple's series, made when they are new; `added` tells
  // whether any was. A new series is not shown before something is recorded in
  // it, and until then, or until a Join, the next Expire takes it.
  SeriesIds Intern(const SeriesLabels& labels, bool* added = nullptr);

  // `delta` occurrences (0 is fine), the newest at `occurred_at`.
  void Record(SeriesIds ids, uint32_t delta, WallTime occurred_at,
              const Moment& now);
  // An Event object appeared in, or left, the series. Numbers stay valid while
  // an Event is in them.
  void Join(SeriesIds ids) { AddActive(ids, 1); }
  void Leave(SeriesIds ids) { AddActive(ids, -1); }

  // The Event of the latest occurrence, which OpenMetrics can tell beside a
  // counter. Does nothing without SeriesOptions::exemplars. Not saved.
  void Note(SeriesIds ids, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at) {
    if (!options_.exemplars) return;
    exemplars_[0].Note(ids.tuple, event_namespace, event_name, occurred_at);
    if (ids.object == SeriesIds::kNone) return;
    exemplars_[1].Note(ids.object, event_namespace, event_name, occurred_at);
  }

  // Shows the tuple from now on, at 0 until something is recorded in it, and
  // for ever. Neither its objects nor its last-seen. Does nothing past
  // max_series.
  void Preset(const SeriesLabels& labels, const Moment& now);

  // Takes the series that are idle for the retention, and those that nothing
  // was ever recorded in; their numbers are given to new ones. Nobody may hold
  // numbers but those that are joined: no list may be staged.
  void Expire(SteadyTime now);

  SeriesCounts Counts() const { return {shown_, overflowed_}; }

  using Cursor = RenderCursor;
  // Appends lines in the cursor's style until `out` holds at least `size` bytes
  // or all is said. False when there is no more. Series that are born or that
  // expire during a scrape may or may not be in it, but never twice.
  bool Render(RenderCursor& cursor, size_t size, SteadyTime now,
              std::string& out) const;

  // Appends all of it but the options and the hasher's secret.
  void Save(std::string& out) const;
  // What Save wrote, into a table that nothing was done with and that has the
  // same hasher. `shift` is added to times of the steady clock. False when the
  // bytes are not that; the table is then as it was.
  bool Load(std::string_view bytes, std::chrono::nanoseconds shift);
  // Whether `ids` are numbers of this table: for those that were saved beside.
  bool Has(SeriesIds ids) const;

 private:
  static constexpr size_t At(Family family) {
    return static_cast<size_t>(family);
  }
  static constexpr size_t At(Who who) { return static_cast<size_t>(who); }
  SeriesRows& RowsOf(Who who) {
    return who == Who::kTuple ? tuples_ : objects_;
  }

  uint32_t InternRow(const SeriesLabels& labels, Who who, bool& added);
  bool HasRoom(const SeriesLabels& labels, Who who) const;
  void RecordRow(Who who, uint32_t number, uint32_t delta, WallTime occurred_at,
                 const Moment& now);
  void Show(Who who, SeriesRow& row, const Moment& now);
  void AddActive(SeriesIds ids, int32_t difference);
  void ExpireRows(Who who, SteadyTime now);
  static bool IsShown(Family family, Who who, const SeriesRow& row);
  // Adds a row that exists now to the counts of rows, or takes it away.
  void CountRow(Who who, const SeriesRow& row, bool exists);
  void RenderCounter(Family family, const RenderCursor& cursor, SteadyTime now,
                     std::string& out) const;

  const SeriesOptions options_;
  const Hasher hash_;
  SeriesRows tuples_;
  SeriesRows objects_;
  PerFamily admitted_{};  // rows that count against max_series
  PerFamily shown_{};
  PerFamily overflowed_{};
  uint32_t expiries_ = 0;
  std::array<Exemplars, 2> exemplars_;  // by Who
  std::string scratch_;
};

}  // namespace kem

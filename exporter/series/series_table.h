// The series of the four event families: label tuples and their values. Part of
// the ledger, which counts into it and saves it; a scrape renders it in pieces.
//
// Not thread-safe: guarded by the ledger's mutex, which a scrape takes for one
// piece at a time, so that counting never waits for a slow client. The same
// calls with the same times make the same table, numbers included.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "occurrences/event_tracker.h"
#include "series/families.h"
#include "series/label_text.h"
#include "series/series_rows.h"
#include "series/text_style.h"

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

// The Event of the latest occurrence of each row, for OpenMetrics: it leads
// from a counter to the Event that increased it. One object for each kind of
// rows, with --metrics.exemplars only. About 150 bytes a row.
class Exemplars {
 public:
  // Does nothing when the row has a newer one.
  void Note(uint32_t row, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at);
  void Forget(uint32_t row);
  // Appends the row's exemplar, if any, as it follows a counter's value.
  void Append(uint32_t row, std::string& out) const;

 private:
  struct Exemplar {
    std::string labels;  // as between the braces; empty when there is none
    WallTime at;
  };
  // By row, up to the highest that has one.
  std::vector<Exemplar> exemplars_;
};

class SeriesTable {
 public:
  SeriesTable(const SeriesOptions& options, const Hasher& hash);

  // Finds or makes the series of the labels; `added` is set to whether one is
  // new. A new series is shown once something is recorded in it. Until then, or
  // until a Join, the next Expire removes it.
  SeriesIds Intern(const SeriesLabels& labels, bool* added = nullptr);

  // Adds `delta` occurrences (may be 0), the newest at `occurred_at`.
  void Record(SeriesIds ids, uint32_t delta, WallTime occurred_at,
              const Moment& now);
  // An Event object entered, or left, the series. Numbers stay valid while an
  // Event is in them.
  void Join(SeriesIds ids) { AddActive(ids, 1); }
  void Leave(SeriesIds ids) { AddActive(ids, -1); }

  // Sets the exemplar. Does nothing without SeriesOptions::exemplars. Not
  // saved.
  void Note(SeriesIds ids, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at) {
    if (!options_.exemplars) return;
    exemplars_[0].Note(ids.tuple, event_namespace, event_name, occurred_at);
    if (ids.object == SeriesIds::kNone) return;
    exemplars_[1].Note(ids.object, event_namespace, event_name, occurred_at);
  }

  // Shows the tuple's counter from now on, at 0 until something is recorded in
  // it, and never expires it. Does nothing beyond max_series.
  void Preset(const SeriesLabels& labels, const Moment& now);

  // Removes series that are idle for the retention, and those in which nothing
  // was ever recorded, and frees their numbers. Callers may keep only numbers
  // that are joined, so no list may be staged.
  void Expire(SteadyTime now);

  SeriesCounts Counts() const { return {shown_, overflowed_}; }

  using Cursor = RenderCursor;
  // Appends lines in the cursor's style until `out` has at least `size` bytes;
  // returns false at the end. A series that appears or expires during a scrape
  // is in it at most once.
  bool Render(RenderCursor& cursor, size_t size, SteadyTime now,
              std::string& out) const;

  // As in EventTracker: saves everything but options, exemplars and the
  // hasher's secret, and loads it into a new table with the same hasher.
  void BeginSave(ByteWriter& head);
  bool SavePiece(size_t size, std::string& out);
  void EndSave(Leftovers& left);
  bool save_gave_up() const {
    return tuples_.save_gave_up() || objects_.save_gave_up();
  }
  bool LoadHead(ByteReader& head);
  bool LoadPiece(ByteReader& piece);
  bool FinishLoad();
  void Shift(std::chrono::nanoseconds shift);
  // Lowers the times of occurrences to `latest`.
  void LimitLastSeen(WallTime latest);
  // From now on. Rows beyond a lower max_series stay.
  void SetOptions(const SeriesOptions& options) { options_ = options; }
  // Whether `ids` are in use: validates numbers that were saved elsewhere.
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

  SeriesOptions options_;
  const Hasher hash_;
  SeriesRows tuples_;
  SeriesRows objects_;
  PerFamily admitted_{};  // rows that count towards max_series
  PerFamily shown_{};
  PerFamily overflowed_{};
  uint32_t expiries_ = 0;
  std::array<Exemplars, 2> exemplars_;  // by Who
  std::string scratch_;
};

}  // namespace kem

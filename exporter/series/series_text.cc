// The exposition of SeriesTable.
#include <algorithm>
#include <array>

#include "series/series_table.h"

namespace kem {
namespace {

// In the sequence of a scrape. Last-seen has tuples of namespaced objects, then
// cluster-scoped objects.
struct Section {
  Family family;
  Who who;
};
constexpr std::array<Section, 5> kSections = {{
    {Family::kOccurrences, Who::kTuple},
    {Family::kObjectOccurrences, Who::kObject},
    {Family::kLastSeen, Who::kTuple},
    {Family::kLastSeen, Who::kObject},
    {Family::kActive, Who::kTuple},
}};

// The label that only last-seen has.
std::string_view LastSeenLabel(const SeriesRow& row, Who who) {
  if (who == Who::kObject) {
    return row.overflow ? ",object_namespace=\"_overflow\""
                        : ",object_namespace=\"\"";
  }
  return row.overflow ? ",object_name=\"_overflow\"" : ",object_name=\"\"";
}

void RenderGauge(Family family, Who who, const SeriesRow& row,
                 std::string& out) {
  out.append(Info(family).name) += '{';
  if (family == Family::kActive) {
    out.append(row.whole()).append("} ");
    AppendInteger(static_cast<uint64_t>(std::max(row.active, 0)), out);
  } else {
    out.append(row.head()).append(LastSeenLabel(row, who));
    out.append(row.tail()).append("} ");
    AppendTimestamp(row.last_seen, out);
  }
  out += '\n';
}

}  // namespace

bool SeriesTable::Render(RenderCursor& cursor, size_t size, SteadyTime now,
                         std::string& out) const {
  if (!cursor.expiries) cursor.expiries = expiries_;
  while (cursor.section < kSections.size()) {
    const auto [family, who] = kSections[cursor.section];
    const SeriesRows& rows = who == Who::kTuple ? tuples_ : objects_;
    for (; cursor.row < rows.size(); ++cursor.row) {
      if (out.size() >= size) return true;
      const SeriesRow& row = rows[cursor.row];
      // A row made after an expiry may have been shown under the number that it
      // had before.
      if (!IsShown(family, who, row) || row.made_in > *cursor.expiries) {
        continue;
      }
      if (!cursor.head_done) AppendHead(Info(family), cursor.style, out);
      cursor.head_done = true;
      if (family == Family::kLastSeen || family == Family::kActive) {
        RenderGauge(family, who, row, out);
      } else {
        RenderCounter(family, cursor, now, out);
      }
    }
    cursor.row = 0;
    ++cursor.section;
    if (cursor.section < kSections.size() &&
        kSections[cursor.section].family != family) {
      cursor.head_done = false;
    }
  }
  return false;
}

void SeriesTable::RenderCounter(Family family, const RenderCursor& cursor,
                                SteadyTime now, std::string& out) const {
  const Who who = kSections[cursor.section].who;
  const SeriesRow& row = (who == Who::kTuple ? tuples_ : objects_)[cursor.row];
  const bool held = now - row.born < options_.initial_zero;
  out.append(Info(family).name) += '{';
  out.append(row.whole()).append("} ");
  AppendInteger(held ? 0 : row.occurrences, out);
  if (cursor.style.open_metrics && !held) {
    exemplars_[At(who)].Append(cursor.row, out);
  }
  out += '\n';
  if (!cursor.style.open_metrics || !cursor.style.created) return;
  out.append(BaseName(Info(family))).append("_created{");
  out.append(row.whole()).append("} ");
  AppendTimestamp(row.created, out);
  out += '\n';
}

}  // namespace kem

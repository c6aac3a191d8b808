// How a series table looks in an exposition: the half of SeriesTable that only
// reads.

#include <array>
#include <charconv>

#include "series/series_table.h"

namespace kem {
namespace {

// A scrape goes through these in order. Last-seen shows both: tuples of
// namespaced objects, then objects.
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

void AppendInteger(uint64_t value, std::string& out) {
  std::array<char, 24> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// Seconds with as many fraction digits as it takes; never a locale's comma.
void AppendTimestamp(WallTime time, std::string& out) {
  int64_t micros = time.time_since_epoch().count();
  if (micros < 0) {
    out += '-';
    micros = -micros;
  }
  AppendInteger(static_cast<uint64_t>(micros / 1000000), out);
  int64_t fraction = micros % 1000000;
  if (fraction == 0) return;
  std::array<char, 7> digits = {'.'};
  for (size_t i = 6; i > 0; --i, fraction /= 10) {
    digits[i] = static_cast<char>('0' + fraction % 10);
  }
  size_t size = digits.size();
  while (digits[size - 1] == '0') --size;
  out.append(digits.data(), size);
}

// The one label that last-seen has beside a row's own.
std::string_view LastSeenLabel(const SeriesRow& row, Who who) {
  if (who == Who::kObject) {
    return row.overflow ? ",object_namespace=\"_overflow\""
                        : ",object_namespace=\"\"";
  }
  return row.overflow ? ",object_name=\"_overflow\"" : ",object_name=\"\"";
}

void AppendHead(const FamilyInfo& info, std::string& out) {
  out.append("# HELP ").append(info.name).append(" ").append(info.help);
  out.append("\n# TYPE ").append(info.name).append(" ").append(info.type);
  out += '\n';
}

}  // namespace

bool SeriesTable::Render(Cursor& cursor, size_t size, SteadyTime now,
                         std::string& out) const {
  if (!cursor.expiries) cursor.expiries = expiries_;
  while (cursor.section < kSections.size()) {
    const auto [family, who] = kSections[cursor.section];
    const SeriesRows& rows = who == Who::kTuple ? tuples_ : objects_;
    for (; cursor.row < rows.size(); ++cursor.row) {
      if (out.size() >= size) return true;
      const SeriesRow& row = rows[cursor.row];
      // What was made since an expiry may have been shown already, under the
      // number that it had before.
      if (!IsShown(family, who, row) || row.made_in > *cursor.expiries) {
        continue;
      }
      if (!cursor.head_done) AppendHead(Info(family), out);
      cursor.head_done = true;
      RenderRow(family, who, row, now, out);
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

void SeriesTable::RenderRow(Family family, Who who, const SeriesRow& row,
                            SteadyTime now, std::string& out) const {
  out.append(Info(family).name);
  out += '{';
  switch (family) {
    case Family::kOccurrences:
    case Family::kObjectOccurrences:
      out.append(row.whole()).append("} ");
      AppendInteger(now - row.born < options_.birth_hold ? 0 : row.occurrences,
                    out);
      break;
    case Family::kLastSeen:
      out.append(row.head()).append(LastSeenLabel(row, who));
      out.append(row.tail()).append("} ");
      AppendTimestamp(row.last_seen, out);
      break;
    case Family::kActive:
      out.append(row.whole()).append("} ");
      AppendInteger(static_cast<uint64_t>(std::max(row.active, 0)), out);
      break;
  }
  out += '\n';
}

}  // namespace kem

#include "series/series_table.h"

#include <algorithm>

#include "base/bytes.h"

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

void Exemplars::Note(uint32_t row, std::string_view event_namespace,
                     std::string_view event_name, WallTime occurred_at) {
  if (row >= exemplars_.size()) exemplars_.resize(size_t{row} + 1);
  Exemplar& exemplar = exemplars_[row];
  // Prometheus rejects an exemplar older than the last one.
  if (!exemplar.labels.empty() && occurred_at < exemplar.at) return;
  exemplar.at = occurred_at;
  ExemplarText(event_namespace, event_name, exemplar.labels);
}

void Exemplars::Forget(uint32_t row) {
  if (row < exemplars_.size()) exemplars_[row] = Exemplar();
}

void Exemplars::Append(uint32_t row, std::string& out) const {
  if (row >= exemplars_.size() || exemplars_[row].labels.empty()) return;
  out.append(" # {").append(exemplars_[row].labels).append("} 1 ");
  AppendTimestamp(exemplars_[row].at, out);
}

SeriesTable::SeriesTable(const SeriesOptions& options, const Hasher& hash)
    : options_(options), hash_(hash) {}

SeriesIds SeriesTable::Intern(const SeriesLabels& labels, bool* added) {
  bool any = false;
  SeriesIds ids;
  ids.tuple = InternRow(labels, Who::kTuple, any);
  if (labels.scope == Scope::kCluster) {
    ids.object = InternRow(labels, Who::kObject, any);
  }
  if (added != nullptr) *added = any;
  return ids;
}

uint32_t SeriesTable::InternRow(const SeriesLabels& labels, Who who,
                                bool& added) {
  SeriesRows& rows = RowsOf(who);
  LabelKey(labels, who, scratch_);
  const Hash128 key = hash_(scratch_);
  const uint32_t known = rows.Find(key);
  if (known != SeriesRows::kNone) return known;
  const bool overflow = IsOverflow(labels, who);
  if (!overflow && !HasRoom(labels, who)) {
    return InternRow(OverflowOf(labels, who), who, added);
  }
  added = true;
  const size_t split = LabelText(labels, who, scratch_);
  const uint32_t number = rows.Add(key, scratch_, split);
  SeriesRow& row = rows.Edit(number);
  row.cluster = labels.scope == Scope::kCluster;
  row.overflow = overflow;
  row.made_in = expiries_;
  CountRow(who, row, /*exists=*/true);
  return number;
}

// Whether each family that would show the row has room for it.
bool SeriesTable::HasRoom(const SeriesLabels& labels, Who who) const {
  for (const Family family : kAllFamilies) {
    if (Shows(family, who, labels.scope == Scope::kCluster) &&
        admitted_[At(family)] >= options_.max_series) {
      return false;
    }
  }
  return true;
}

bool SeriesTable::IsShown(Family family, Who who, const SeriesRow& row) {
  return Shows(family, who, row.cluster) &&
         (family == Family::kLastSeen ? row.seen : row.shown());
}

void SeriesTable::CountRow(Who who, const SeriesRow& row, bool exists) {
  const auto step = [exists](uint64_t& count) { exists ? ++count : --count; };
  for (const Family family : kAllFamilies) {
    if (!row.overflow && Shows(family, who, row.cluster)) {
      step(admitted_[At(family)]);
    }
    if (IsShown(family, who, row)) step(shown_[At(family)]);
  }
}

void SeriesTable::Record(SeriesIds ids, uint32_t delta, WallTime occurred_at,
                         const Moment& now) {
  RecordRow(Who::kTuple, ids.tuple, delta, occurred_at, now);
  if (ids.object != SeriesIds::kNone) {
    RecordRow(Who::kObject, ids.object, delta, occurred_at, now);
  }
}

void SeriesTable::RecordRow(Who who, uint32_t number, uint32_t delta,
                            WallTime occurred_at, const Moment& now) {
  SeriesRow& row = RowsOf(who).Edit(number);
  if (!row.seen) {
    Show(who, row, now);
    row.seen = true;
    if (Shows(Family::kLastSeen, who, row.cluster)) {
      ++shown_[At(Family::kLastSeen)];
    }
  }
  if (occurred_at > row.last_seen) row.last_seen = occurred_at;
  row.touched = now.steady;
  row.occurrences += delta;
  if (!row.overflow) return;
  for (const Family family : kAllFamilies) {
    if (Shows(family, who, row.cluster)) overflowed_[At(family)] += delta;
  }
}

void SeriesTable::Show(Who who, SeriesRow& row, const Moment& now) {
  if (row.shown()) return;
  row.born = now.steady;
  row.created = now.wall;
  for (const Family family : kAllFamilies) {
    if (family != Family::kLastSeen && Shows(family, who, row.cluster)) {
      ++shown_[At(family)];
    }
  }
}

void SeriesTable::Preset(const SeriesLabels& labels, const Moment& now) {
  bool added = false;
  const uint32_t number = InternRow(labels, Who::kTuple, added);
  if (tuples_[number].overflow) return;
  SeriesRow& row = tuples_.Edit(number);
  Show(Who::kTuple, row, now);
  row.preset = true;
}

void SeriesTable::AddActive(SeriesIds ids, int32_t difference) {
  tuples_.Edit(ids.tuple).active += difference;
  if (ids.object != SeriesIds::kNone) {
    objects_.Edit(ids.object).active += difference;
  }
}

void SeriesTable::Expire(SteadyTime now) {
  ++expiries_;
  ExpireRows(Who::kTuple, now);
  ExpireRows(Who::kObject, now);
}

void SeriesTable::ExpireRows(Who who, SteadyTime now) {
  SeriesRows& rows = RowsOf(who);
  for (uint32_t number = 0; number < rows.size(); ++number) {
    const SeriesRow& row = rows[number];
    if (!row.in_use() || row.preset || row.active != 0) continue;
    if (row.seen && (options_.retention.count() == 0 ||
                     now - row.touched < options_.retention)) {
      continue;
    }
    CountRow(who, row, /*exists=*/false);
    rows.Free(number);
    exemplars_[At(who)].Forget(number);
  }
}

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

void SeriesTable::BeginSave(ByteWriter& head) {
  tuples_.BeginSave(head);
  objects_.BeginSave(head);
  for (const uint64_t count : overflowed_) head.Integer<uint64_t>(count);
}

// A piece has rows of one kind, behind a flag.
bool SeriesTable::SavePiece(size_t size, std::string& out) {
  const size_t begin = out.size();
  out += '\0';
  const bool more = tuples_.SavePiece(size, out);
  if (more || out.size() > begin + 1) return true;
  out[begin] = '\1';
  return objects_.SavePiece(size, out);
}

void SeriesTable::EndSave(Leftovers& left) {
  tuples_.EndSave(left);
  objects_.EndSave(left);
}

bool SeriesTable::LoadHead(ByteReader& head) {
  if (!tuples_.LoadHead(head) || !objects_.LoadHead(head)) return false;
  for (uint64_t& count : overflowed_) count = head.Integer<uint64_t>();
  return head.ok();
}

bool SeriesTable::LoadPiece(ByteReader& piece) {
  const Who who = piece.Flag() ? Who::kObject : Who::kTuple;
  return piece.ok() && RowsOf(who).LoadPiece(piece);
}

bool SeriesTable::FinishLoad() {
  if (!tuples_.FinishLoad() || !objects_.FinishLoad()) return false;
  for (const Who who : {Who::kTuple, Who::kObject}) {
    const SeriesRows& rows = RowsOf(who);
    for (uint32_t number = 0; number < rows.size(); ++number) {
      if (rows[number].in_use()) {
        CountRow(who, rows[number], /*exists=*/true);
      }
    }
  }
  return true;
}

void SeriesTable::LimitLastSeen(WallTime latest) {
  tuples_.LimitLastSeen(latest);
  objects_.LimitLastSeen(latest);
}

void SeriesTable::Shift(std::chrono::nanoseconds shift) {
  tuples_.Shift(shift);
  objects_.Shift(shift);
}

bool SeriesTable::Has(SeriesIds ids) const {
  return tuples_.InUse(ids.tuple) &&
         (ids.object == SeriesIds::kNone || objects_.InUse(ids.object));
}

}  // namespace kem

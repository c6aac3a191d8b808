#include "series/series_table.h"

#include <array>
#include <charconv>
#include <cstring>

#include "series/label_text.h"

namespace kem {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;
constexpr size_t kFirstSlots = 256;
constexpr uint32_t kNone = SeriesIds::kNone;

constexpr std::array<FamilyInfo, kFamilyCount> kFamilies = {{
    {"kube_event_occurrences_total", "counter",
     "Occurrences that the API server told of since the exporter started, by "
     "what they are about."},
    {"kube_event_object_occurrences_total", "counter",
     "The same for each cluster-scoped object."},
    {"kube_event_last_seen_timestamp_seconds", "gauge",
     "When it happened last, as its writer says: per object for "
     "cluster-scoped objects, per namespace for the rest."},
    {"kube_event_active", "gauge",
     "Event objects that the API server holds now."},
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

}  // namespace

const FamilyInfo& Info(Family family) {
  return kFamilies[static_cast<size_t>(family)];
}

SeriesTable::SeriesTable(std::chrono::seconds birth_hold)
    : birth_hold_(birth_hold) {
  tuples_.slots.assign(kFirstSlots, kNone);
  objects_.slots.assign(kFirstSlots, kNone);
}

SeriesIds SeriesTable::Intern(const SeriesLabels& labels) {
  SeriesIds ids;
  ids.tuple = InternRow(tuples_, labels, Who::kTuple);
  if (labels.scope == Scope::kCluster) {
    ids.object = InternRow(objects_, labels, Who::kObject);
  }
  return ids;
}

uint32_t SeriesTable::InternRow(Rows& rows, const SeriesLabels& labels,
                                Who who) {
  LabelKey(labels, who, scratch_);
  bool added = false;
  const uint32_t index = FindOrAdd(rows, hash_(scratch_), added);
  if (added) {
    Row& row = rows.rows[index];
    row.split = static_cast<uint16_t>(LabelText(labels, who, scratch_));
    row.text = Keep(scratch_);
    row.text_size = static_cast<uint16_t>(scratch_.size());
    row.cluster = labels.scope == Scope::kCluster;
  }
  return index;
}

void SeriesTable::Record(SeriesIds ids, uint32_t delta, WallTime occurred_at,
                         SteadyTime now) {
  Row& tuple = tuples_.rows[ids.tuple];
  if (tuple.born == kUnborn && tuple.cluster) ++cluster_tuples_born_;
  Touch(tuples_, tuple, occurred_at, now);
  tuple.occurrences += delta;
  if (ids.object == kNone) return;
  Row& object = objects_.rows[ids.object];
  Touch(objects_, object, occurred_at, now);
  object.occurrences += delta;
}

void SeriesTable::Touch(Rows& rows, Row& row, WallTime occurred_at,
                        SteadyTime now) {
  if (row.born == kUnborn) {
    row.born = now;
    ++rows.born;
  }
  if (occurred_at > row.last_seen) row.last_seen = occurred_at;
}

size_t SeriesTable::Count(Family family) const {
  switch (family) {
    case Family::kOccurrences:
    case Family::kActive:
      return tuples_.born;
    case Family::kObjectOccurrences:
      return objects_.born;
    case Family::kLastSeen:
      return tuples_.born - cluster_tuples_born_ + objects_.born;
  }
  return 0;
}

uint32_t SeriesTable::FindOrAdd(Rows& rows, const Hash128& key, bool& added) {
  std::vector<uint32_t>& slots = rows.slots;
  if ((rows.rows.size() + 1) * 4 > slots.size() * 3) {
    const size_t mask = slots.size() * 2 - 1;
    slots.assign(mask + 1, kNone);
    for (uint32_t i = 0; i < rows.rows.size(); ++i) {
      size_t slot = rows.rows[i].key.low & mask;
      while (slots[slot] != kNone) slot = (slot + 1) & mask;
      slots[slot] = i;
    }
  }
  const size_t mask = slots.size() - 1;
  size_t slot = key.low & mask;
  for (; slots[slot] != kNone; slot = (slot + 1) & mask) {
    if (rows.rows[slots[slot]].key == key) {
      added = false;
      return slots[slot];
    }
  }
  slots[slot] = static_cast<uint32_t>(rows.rows.size());
  Row& row = rows.rows.emplace_back();
  row.key = key;
  row.born = kUnborn;
  added = true;
  return slots[slot];
}

const char* SeriesTable::Keep(std::string_view text) {
  if (text.size() > block_left_) {
    block_left_ = std::max(kBlockBytes, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_left_));
  }
  // The block is filled from its end, so what is left is also the place.
  block_left_ -= text.size();
  char* place = blocks_.back().get() + block_left_;
  std::memcpy(place, text.data(), text.size());
  return place;
}

bool SeriesTable::Render(Cursor& cursor, size_t size, SteadyTime now,
                         std::string& out) const {
  // Last-seen shows both: tuples of namespaced objects, then objects.
  for (; cursor.family < kFamilyCount; ++cursor.family) {
    const auto family = static_cast<Family>(cursor.family);
    if (Count(family) == 0) continue;
    if (!cursor.head_done) {
      const FamilyInfo& info = Info(family);
      out.append("# HELP ").append(info.name).append(" ").append(info.help);
      out.append("\n# TYPE ").append(info.name).append(" ").append(info.type);
      out += '\n';
      cursor.head_done = true;
    }
    const size_t tuples =
        family == Family::kObjectOccurrences ? 0 : tuples_.rows.size();
    const size_t objects =
        family == Family::kObjectOccurrences || family == Family::kLastSeen
            ? objects_.rows.size()
            : 0;
    for (; cursor.row < tuples + objects; ++cursor.row) {
      if (out.size() >= size) return true;
      const Row& row = cursor.row < tuples ? tuples_.rows[cursor.row]
                                           : objects_.rows[cursor.row - tuples];
      const bool shown_by_object =
          family == Family::kLastSeen && cursor.row < tuples && row.cluster;
      if (row.born == kUnborn || shown_by_object) continue;
      RenderRow(family, row, now, out);
    }
    cursor.row = 0;
    cursor.head_done = false;
  }
  return false;
}

void SeriesTable::RenderRow(Family family, const Row& row, SteadyTime now,
                            std::string& out) const {
  out.append(Info(family).name);
  out += '{';
  switch (family) {
    case Family::kOccurrences:
    case Family::kObjectOccurrences:
      out.append(row.text, row.text_size).append("} ");
      AppendInteger(now - row.born < birth_hold_ ? 0 : row.occurrences, out);
      break;
    case Family::kLastSeen:
      out.append(row.text, row.split);
      out.append(row.cluster ? ",object_namespace=\"\"" : ",object_name=\"\"");
      out.append(row.text + row.split, size_t{row.text_size} - row.split);
      out.append("} ");
      AppendTimestamp(row.last_seen, out);
      break;
    case Family::kActive:
      out.append(row.text, row.text_size).append("} ");
      AppendInteger(static_cast<uint64_t>(std::max(row.active, 0)), out);
      break;
  }
  out += '\n';
}

}  // namespace kem

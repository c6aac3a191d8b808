#include "series/series_rows.h"

#include <cstring>

namespace kem {
namespace {

constexpr size_t kMaxTextBytes = UINT16_MAX;
// A saved row without its text.
constexpr size_t kSavedRowBytes = 16 + 8 + 4 * 8 + 4 + 2 + 1 + 4;

// Flags of a saved row.
enum : uint8_t { kCluster = 1, kOverflow = 2, kPreset = 4, kSeen = 8 };

constexpr int32_t kMaxActive = int32_t{1} << 30;

void SetText(SeriesRow& row, std::string_view text) {
  row.text = std::make_unique_for_overwrite<char[]>(text.size());
  std::memcpy(row.text.get(), text.data(), text.size());
  row.text_size = static_cast<uint16_t>(text.size());
}

}  // namespace

uint32_t SeriesRows::Find(const Hash128& key) const {
  return table_.Find(key, KeyOf());
}

uint32_t SeriesRows::Add(const Hash128& key, std::string_view text,
                         size_t split) {
  uint32_t number = size();
  if (free_.empty()) {
    rows_.emplace_back();
  } else {
    number = free_.back();
    free_.pop_back();
  }
  SeriesRow& row = rows_[number];
  row.key = key;
  SetText(row, text.substr(0, kMaxTextBytes));
  row.split = static_cast<uint16_t>(split);
  table_.Insert(number, KeyOf());
  return number;
}

void SeriesRows::Free(uint32_t number) {
  table_.Erase(number, KeyOf());
  rows_[number] = SeriesRow();
  free_.push_back(number);
}

void SeriesRows::Save(ByteWriter& writer) const {
  writer.Integer<uint32_t>(size());
  writer.Integer<uint32_t>(static_cast<uint32_t>(free_.size()));
  for (const uint32_t number : free_) writer.Integer<uint32_t>(number);
  for (const SeriesRow& row : rows_) {
    if (!row.in_use()) continue;
    writer.Integer<uint64_t>(row.key.low);
    writer.Integer<uint64_t>(row.key.high);
    writer.Integer<uint64_t>(row.occurrences);
    writer.Time(row.last_seen);
    writer.Time(row.created);
    writer.Time(row.born);
    writer.Time(row.touched);
    writer.Integer<int32_t>(row.active);
    writer.Integer<uint16_t>(row.split);
    writer.Integer<uint8_t>(static_cast<uint8_t>(
        (row.cluster ? kCluster : 0) | (row.overflow ? kOverflow : 0) |
        (row.preset ? kPreset : 0) | (row.seen ? kSeen : 0)));
    writer.Text(row.whole());
  }
}

bool SeriesRows::Load(ByteReader& reader, std::chrono::nanoseconds shift) {
  const auto count = reader.Integer<uint32_t>();
  const auto free_count = reader.Integer<uint32_t>();
  if (free_count > count || reader.left() < free_count * sizeof(uint32_t)) {
    return false;
  }
  std::vector<bool> is_free(count > reader.left() ? 0 : count);
  if (is_free.size() != count) return false;
  for (uint32_t i = 0; i < free_count; ++i) {
    const auto number = reader.Integer<uint32_t>();
    if (number >= count || is_free[number]) return false;
    is_free[number] = true;
    free_.push_back(number);
  }
  if (reader.left() / kSavedRowBytes < count - free_count) return false;
  for (uint32_t number = 0; number < count; ++number) {
    SeriesRow& row = rows_.emplace_back();
    if (is_free[number]) continue;
    if (!LoadRow(reader, shift, row) || Find(row.key) != kNone) return false;
    table_.Insert(number, KeyOf());
  }
  return reader.ok();
}

bool SeriesRows::LoadRow(ByteReader& reader, std::chrono::nanoseconds shift,
                         SeriesRow& row) {
  row.key.low = reader.Integer<uint64_t>();
  row.key.high = reader.Integer<uint64_t>();
  row.occurrences = reader.Integer<uint64_t>();
  row.last_seen = reader.Wall();
  row.created = reader.Wall();
  row.born = reader.Steady(shift);
  row.touched = reader.Steady(shift);
  row.active = reader.Integer<int32_t>();
  row.split = reader.Integer<uint16_t>();
  const auto flags = reader.Integer<uint8_t>();
  row.cluster = (flags & kCluster) != 0;
  row.overflow = (flags & kOverflow) != 0;
  row.preset = (flags & kPreset) != 0;
  row.seen = (flags & kSeen) != 0;
  const std::string_view text = reader.Text();
  if (!reader.ok() || flags > 15 || row.active < 0 || row.active > kMaxActive ||
      text.empty() || text.size() > kMaxTextBytes || row.split > text.size() ||
      text.find('\n') != std::string_view::npos) {
    return false;
  }
  SetText(row, text);
  return true;
}

}  // namespace kem

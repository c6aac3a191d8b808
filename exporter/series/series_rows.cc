#include "series/series_rows.h"

#include <cstring>

namespace kem {
namespace {

constexpr size_t kMaxTextBytes = UINT16_MAX;
// Flags of a saved row; a free one has only the number of the next.
enum : uint8_t {
  kCluster = 1,
  kOverflow = 2,
  kPreset = 4,
  kSeen = 8,
  kFree = 16
};

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
  if (free_ == kNone) {
    rows_.emplace_back();
  } else {
    number = free_;
    free_ = rows_[number].made_in;
  }
  SeriesRow& row = Edit(number);
  row.key = key;
  SetText(row, text.substr(0, kMaxTextBytes));
  row.split = static_cast<uint16_t>(split);
  table_.Insert(number, KeyOf());
  return number;
}

void SeriesRows::Free(uint32_t number) {
  table_.Erase(number, KeyOf());
  SeriesRow& row = Edit(number);
  row = SeriesRow();
  row.made_in = free_;
  free_ = number;
}

void SeriesRows::BeginSave(ByteWriter& head) {
  head.Integer<uint32_t>(size());
  head.Integer<uint32_t>(free_);
  saving_.Begin(size());
}

bool SeriesRows::SavePiece(size_t size, std::string& out) {
  ByteWriter to(out);
  return saving_.Advance([&] { return out.size() < size; },
                         [&](const std::string& kept) { to.Raw(kept); },
                         [&](uint32_t number) { Encode(rows_[number], to); });
}

void SeriesRows::Encode(const SeriesRow& row, ByteWriter& to) {
  if (!row.in_use()) {
    to.Integer<uint8_t>(kFree);
    to.Integer<uint32_t>(row.made_in);
    return;
  }
  to.Integer<uint8_t>(static_cast<uint8_t>(
      (row.cluster ? kCluster : 0) | (row.overflow ? kOverflow : 0) |
      (row.preset ? kPreset : 0) | (row.seen ? kSeen : 0)));
  to.Integer<uint64_t>(row.key.low);
  to.Integer<uint64_t>(row.key.high);
  to.Integer<uint64_t>(row.occurrences);
  to.Time(row.last_seen);
  to.Time(row.created);
  to.Time(row.born);
  to.Time(row.touched);
  to.Integer<int32_t>(row.active);
  to.Integer<uint16_t>(row.split);
  to.Text(row.whole());
}

std::string SeriesRows::Encode(const SeriesRow& row) {
  std::string bytes;
  ByteWriter to(bytes);
  Encode(row, to);
  return bytes;
}

bool SeriesRows::LoadHead(ByteReader& head) {
  to_load_ = head.Integer<uint32_t>();
  free_ = head.Integer<uint32_t>();
  return head.ok();
}

bool SeriesRows::LoadPiece(ByteReader& piece) {
  while (piece.ok() && piece.left() > 0) {
    const uint32_t number = size();
    if (number == to_load_) return false;
    SeriesRow& row = rows_.emplace_back();
    if (!LoadRow(piece, row)) return false;
    if (!row.in_use()) continue;
    if (Find(row.key) != kNone) return false;
    table_.Insert(number, KeyOf());
  }
  return piece.ok();
}

bool SeriesRows::LoadRow(ByteReader& from, SeriesRow& row) {
  const auto flags = from.Integer<uint8_t>();
  if (flags == kFree) {
    row.made_in = from.Integer<uint32_t>();
    return from.ok();
  }
  row.cluster = (flags & kCluster) != 0;
  row.overflow = (flags & kOverflow) != 0;
  row.preset = (flags & kPreset) != 0;
  row.seen = (flags & kSeen) != 0;
  row.key.low = from.Integer<uint64_t>();
  row.key.high = from.Integer<uint64_t>();
  row.occurrences = from.Integer<uint64_t>();
  row.last_seen = from.Wall();
  row.created = from.Wall();
  row.born = from.Steady();
  row.touched = from.Steady();
  row.active = from.Integer<int32_t>();
  row.split = from.Integer<uint16_t>();
  const std::string_view text = from.Text();
  if (!from.ok() || flags >= kFree || row.active < 0 ||
      row.active > kMaxActive || text.empty() || text.size() > kMaxTextBytes ||
      row.split > text.size() || text.find('\n') != std::string_view::npos) {
    return false;
  }
  SetText(row, text);
  return true;
}

// Checks that the list of free rows has each once.
bool SeriesRows::FinishLoad() const {
  if (size() != to_load_) return false;
  uint32_t left = 0;
  for (const SeriesRow& row : rows_) left += row.in_use() ? 0 : 1;
  uint32_t number = free_;
  for (; number < size() && !rows_[number].in_use() && left > 0; --left) {
    number = rows_[number].made_in;
  }
  return left == 0 && number == kNone;
}

void SeriesRows::Shift(std::chrono::nanoseconds shift) {
  for (uint32_t number = 0; number < size(); ++number) {
    if (!rows_[number].in_use()) continue;
    SeriesRow& row = Edit(number);
    row.born = Shifted(row.born, shift);
    row.touched = Shifted(row.touched, shift);
  }
}

void SeriesRows::LimitLastSeen(WallTime latest) {
  for (uint32_t number = 0; number < size(); ++number) {
    if (rows_[number].last_seen > latest) Edit(number).last_seen = latest;
  }
}

}  // namespace kem

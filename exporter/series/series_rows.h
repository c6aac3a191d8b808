// The rows of a series table, found by the key of their labels or by number. A
// freed number is used again, so that memory follows the highest number of rows
// at a time. The same calls give the same numbers; the state's journal relies
// on that. Used by SeriesTable only, which has the families and limits.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/piecewise_save.h"
#include "base/probing_table.h"

namespace kem {

struct SeriesRow {
  Hash128 key;
  // The labels, as between the braces; null in a free row.
  std::unique_ptr<char[]> text;
  uint64_t occurrences = 0;
  WallTime last_seen;
  // When the row was first shown, on both clocks.
  WallTime created;
  SteadyTime born;
  SteadyTime touched;  // last record
  int32_t active = 0;
  // The table's number of expiries when it was made; of a free row, the number
  // of the next free one.
  uint32_t made_in = 0;
  uint16_t text_size = 0;
  uint16_t split = 0;  // position of the label that only last-seen has
  bool cluster = false;
  bool overflow = false;
  bool preset = false;  // shown before anything is recorded, and never expires
  bool seen = false;    // something was recorded

  bool in_use() const { return text != nullptr; }
  bool shown() const { return preset || seen; }
  std::string_view head() const { return {text.get(), split}; }
  std::string_view tail() const {
    return {text.get() + split, size_t{text_size} - split};
  }
  std::string_view whole() const { return {text.get(), text_size}; }
};

class SeriesRows {
 public:
  static constexpr uint32_t kNone = ProbingTable::kNone;

  // Above the highest number.
  uint32_t size() const { return static_cast<uint32_t>(rows_.size()); }
  const SeriesRow& operator[](uint32_t number) const { return rows_[number]; }
  // For every change of a row.
  SeriesRow& Edit(uint32_t number) {
    saving_.BeforeChange(number, [&] { return Encode(rows_[number]); });
    return rows_[number];
  }
  bool InUse(uint32_t number) const {
    return number < rows_.size() && rows_[number].in_use();
  }

  // kNone when there is none.
  uint32_t Find(const Hash128& key) const;
  // No row may have `key` yet. Only key and text of the new row are set; text
  // must not be empty, and is cut to 64 KiB.
  uint32_t Add(const Hash128& key, std::string_view text, size_t split);
  void Free(uint32_t number);

  // As in EventTracker.
  void BeginSave(ByteWriter& head);
  bool SavePiece(size_t size, std::string& out);
  void EndSave(Leftovers& left) { saving_.End(left); }
  bool save_gave_up() const { return saving_.gave_up(); }
  bool LoadHead(ByteReader& head);
  bool LoadPiece(ByteReader& piece);
  bool FinishLoad() const;
  void Shift(std::chrono::nanoseconds shift);
  void LimitLastSeen(WallTime latest);

 private:
  auto KeyOf() const {
    return
        [this](uint32_t number) -> const Hash128& { return rows_[number].key; };
  }
  // 16,384 rows, about 5 MB.
  static constexpr size_t kMaxKept = size_t{1} << 14;

  static void Encode(const SeriesRow& row, ByteWriter& to);
  static std::string Encode(const SeriesRow& row);
  static bool LoadRow(ByteReader& from, SeriesRow& row);

  std::deque<SeriesRow> rows_;
  uint32_t free_ = kNone;  // the last one freed, which is used next
  ProbingTable table_{256};
  PiecewiseSave<std::string> saving_{kMaxKept};
  uint32_t to_load_ = 0;  // rows that the head announced
};

}  // namespace kem

// The rows of a series table, found by the key of their labels or by number. A
// freed number is used again, so that memory follows the highest number of rows
// at a time. The same calls give the same numbers; the state's journal relies
// on that. Used by SeriesTable only, which has the families and limits.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
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
  uint32_t made_in = 0;  // the table's number of expiries at that time
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
  SeriesRow& operator[](uint32_t number) { return rows_[number]; }
  const SeriesRow& operator[](uint32_t number) const { return rows_[number]; }
  bool InUse(uint32_t number) const {
    return number < rows_.size() && rows_[number].in_use();
  }

  // kNone when there is none.
  uint32_t Find(const Hash128& key) const;
  // No row may have `key` yet. Only key and text of the new row are set; text
  // must not be empty, and is cut to 64 KiB.
  uint32_t Add(const Hash128& key, std::string_view text, size_t split);
  void Free(uint32_t number);

  void Save(ByteWriter& writer) const;
  // Loads into new SeriesRows what Save wrote. Adds `shift` to times of the
  // steady clock. Returns false, and leaves the rows unusable, for invalid
  // bytes.
  bool Load(ByteReader& reader, std::chrono::nanoseconds shift);

 private:
  auto KeyOf() const {
    return
        [this](uint32_t number) -> const Hash128& { return rows_[number].key; };
  }
  bool LoadRow(ByteReader& reader, std::chrono::nanoseconds shift,
               SeriesRow& row);

  std::deque<SeriesRow> rows_;
  std::vector<uint32_t> free_;  // the last is used next
  ProbingTable table_{256};
};

}  // namespace kem

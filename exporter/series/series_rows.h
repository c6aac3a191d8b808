// The rows of a series table: found by the key of their labels, known to others
// by number. A number stays the row's until the row is freed and is given to
// another one later, so that years of new labels take no more memory than the
// most that lived at a time. Which number a new row gets depends on nothing but
// the calls made before: the same calls give the same numbers. Used by
// SeriesTable only; knows no family and no limit.
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
  // What stands between the braces; null in a free row.
  std::unique_ptr<char[]> text;
  uint64_t occurrences = 0;
  WallTime last_seen;
  // When the row was first shown, on both clocks.
  WallTime created;
  SteadyTime born;
  SteadyTime touched;  // when something was recorded last
  int32_t active = 0;
  uint32_t made_in = 0;  // after how many expiries of the table
  uint16_t text_size = 0;
  uint16_t split = 0;  // where the label goes that only last-seen has
  bool cluster = false;
  bool overflow = false;
  bool preset = false;  // shown before anything is recorded, and for ever
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

  // Every row's number is below.
  uint32_t size() const { return static_cast<uint32_t>(rows_.size()); }
  SeriesRow& operator[](uint32_t number) { return rows_[number]; }
  const SeriesRow& operator[](uint32_t number) const { return rows_[number]; }
  bool InUse(uint32_t number) const {
    return number < rows_.size() && rows_[number].in_use();
  }

  // kNone when there is none.
  uint32_t Find(const Hash128& key) const;
  // `key` must not be there yet. The row is blank but for key and text, of
  // which at most 64 KiB are kept, and none is too little.
  uint32_t Add(const Hash128& key, std::string_view text, size_t split);
  void Free(uint32_t number);

  void Save(ByteWriter& writer) const;
  // Into rows that are empty. Times of the steady clock are moved by `shift`.
  // False, and rows of no use, when the bytes are not what Save wrote.
  bool Load(ByteReader& reader, std::chrono::nanoseconds shift);

 private:
  auto KeyOf() const {
    return
        [this](uint32_t number) -> const Hash128& { return rows_[number].key; };
  }
  bool LoadRow(ByteReader& reader, std::chrono::nanoseconds shift,
               SeriesRow& row);

  std::deque<SeriesRow> rows_;
  std::vector<uint32_t> free_;  // the last one is given next
  ProbingTable table_{256};
};

}  // namespace kem

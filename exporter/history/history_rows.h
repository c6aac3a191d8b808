// The statements that change the history's tables: one row for each Event, its
// jumps, its object and its reason. Used by HistoryFile, inside of its
// transactions. Knows neither files nor limits of size.
//
// Not thread-safe. Errors are those of SqlConnection. Nothing throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "history/sqlite.h"
#include "occurrences/occurrence.h"

namespace kem {

class HistoryRows {
 public:
  // The newest jumps that an Event keeps.
  static constexpr int64_t kMaxJumps = 128;

  // `file` has the schema, and must outlive this.
  static Result<HistoryRows> Prepare(SqlConnection& file);

  // Adds what is new in the occurrence, known since `now`; of one that was
  // added before, or that an added one contains, nothing is.
  Result<void> Add(const Occurrence& occurrence, WallTime now);

  // When the oldest Event was last received; none without an Event.
  Result<std::optional<WallTime>> Oldest();
  // Removes the oldest Events, at most `most`, that were last received before
  // `end`; all are for none. Returns how many.
  Result<size_t> RemoveOldest(size_t most, std::optional<WallTime> end);

  // Frees some of the space of removed words, which is not free until the
  // index of words is merged. Writes about `pages` pages.
  Result<void> MergeWords(int64_t pages);

  // Events now.
  uint64_t events() const { return events_; }

 private:
  HistoryRows(SqlConnection& file, uint64_t events)
      : file_(&file), events_(events) {}

  Result<int64_t> ObjectOf(const Occurrence& occurrence);
  Result<int64_t> ReasonOf(const Occurrence& occurrence);
  template <typename Bind>
  Result<int64_t> FindOrInsert(size_t find, size_t insert, Bind bind);
  Result<void> Insert(const Occurrence& occurrence, int64_t now);
  Result<void> Grow(int64_t event, const Occurrence& occurrence, int64_t delta,
                    int64_t now);
  Result<void> Write(SqlStatement& statement, const Occurrence& occurrence,
                     int64_t delta, int64_t now);
  Result<void> AddJump(int64_t event, int64_t delta, int64_t now);

  SqlConnection* file_;
  std::vector<SqlStatement> statements_;
  uint64_t events_;
};

}  // namespace kem

// The writer of the history, an SQLite file (HISTORY.md): opens it, or begins a
// new one, adds occurrences, and removes what is too old or too much. Used by
// the sink of the type history, on its thread. Readers have connections of
// their own (history_reader.h).
//
// After any error the file is closed, and the next call opens it again. A
// damaged file and one of a newer version are renamed; a database of another
// program stays as it is. The message of an error is one sentence. Nothing
// throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "history/history_rows.h"
#include "history/history_status.h"
#include "history/sqlite.h"
#include "occurrences/occurrence.h"

namespace kem {

struct HistoryLimits {
  static constexpr uint64_t kMinBytes = uint64_t{32} << 20;
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 40;

  // From the time at which an Event's newest occurrence was received.
  std::chrono::seconds keep{std::chrono::hours(14 * 24)};
  uint64_t max_bytes = uint64_t{512} << 20;  // of the file and its WAL
  bool operator==(const HistoryLimits&) const = default;
};

class HistoryFile {
 public:
  // Occurrences of a call of Append, so that a transaction is small.
  static constexpr size_t kMaxBatch = 256;
  static constexpr size_t kMaxBatchBytes = size_t{256} << 10;

  // Opens nothing yet. `clock` and `status` must outlive this.
  HistoryFile(std::string path, HistoryLimits limits, const Clock& clock,
              HistoryStatus& status);
  ~HistoryFile();
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;

  // Adds all of them or none. One that is in the file changes nothing, so a
  // batch may be repeated, also after a crash.
  Result<void> Append(std::span<const Occurrence> batch);

  // Removes some of what is too old or too much, in about 10 ms, or gives some
  // free space back. True if there is more to do. Every few seconds it also
  // makes durable what was added.
  Result<bool> Maintain();

 private:
  struct Open {
    SqlConnection file;
    std::optional<HistoryRows> rows;  // ends before the connection
  };
  struct Pages {
    int64_t all;
    int64_t free;
  };
  struct Moment {
    WallTime wall;
    SteadyTime steady;
  };
  using Step = std::function<Result<void>()>;

  Result<void> Attempt(const Step& step);
  Result<void> Transaction(const Step& step);
  Result<void> EnsureOpen();
  bool PutAside(const Error& why);
  Result<void> CheckWal();
  Result<Pages> CountPages();
  bool HasReached();
  Result<bool> IsTooLarge();
  Result<WallTime> NowForAges();
  Result<size_t> RemoveOverdue(size_t most);
  Result<bool> Shrink();
  Result<void> Sync();
  Result<void> Measure();

  const std::string path_;
  const HistoryLimits limits_;
  const Clock& clock_;
  HistoryStatus& status_;
  std::unique_ptr<Open> open_;  // null while it is closed
  SteadyTime synced_at_;
  // The newest Event of the file when it was first opened. Ages grow from then
  // by the steady clock.
  std::optional<Moment> ages_from_;
  bool was_full_ = false;  // the last addition found no room
};

}  // namespace kem

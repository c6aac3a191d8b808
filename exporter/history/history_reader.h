// Finds Events in the history's file, with a connection of its own that only
// reads. Used by the API and the pages. Opens the file at the first question,
// and again when another one is at its path. While there is no file it finds
// nothing. A question takes at most 4 MiB for its answer and 3 MiB in SQLite.
//
// Thread-safe: questions take turns. Nothing throws.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "history/event_source.h"
#include "history/history_query.h"
#include "history/history_status.h"
#include "history/sqlite.h"

namespace kem {

class HistoryReader : public EventSource {
 public:
  // `clock` and `status` must outlive this.
  HistoryReader(std::string path, const Clock& clock, HistoryStatus& status);

  Result<FoundEvents> FindEvents(const EventQuery& query,
                                 const std::stop_token& stop) override;
  Result<FoundObjects> FindObjects(const EventQuery& query,
                                   const std::stop_token& stop) override;
  WallTime KnownSince() override;

 private:
  // What a question looks for and where.
  struct Search {
    SqlText conditions;
    std::string_view index;  // after the table's name
  };
  // The Events with the words; none without words in the query.
  using Matches = std::optional<std::vector<int64_t>>;

  template <typename Found, typename Body>
  Result<Found> Ask(const std::stop_token& stop, Body body);
  Result<bool> EnsureOpen();
  bool IsOver() const;
  Error Failed(const Error& error);
  Result<Matches> FindWords(const EventQuery& query, const std::string& match);
  Result<bool> AreFew(std::string_view index, const SqlText& condition);
  Result<Search> Plan(const EventQuery& query, std::string_view usual_index);
  Result<FoundEvents> Events(const EventQuery& query);
  Result<FoundObjects> Objects(const EventQuery& query);

  const std::string path_;
  const Clock& clock_;
  HistoryStatus& status_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::stop_token stop_;
  SteadyTime deadline_;
  std::optional<SqlConnection> file_;
};

}  // namespace kem

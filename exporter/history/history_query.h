// An EventQuery as SQL: conditions on the history's tables, and through which
// index SQLite looks for what matches. Used by HistoryReader. Texts are
// parameters, never a part of the SQL.
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "history/event_source.h"
#include "history/sqlite.h"

namespace kem {

// SQL with a value for each "?" in it, in order.
struct SqlText {
  using Values = std::vector<std::variant<int64_t, std::string>>;
  std::string sql;
  Values values;

  SqlText& Add(std::string_view more, const Values& its_values = {});
  SqlText& Add(const SqlText& more) { return Add(more.sql, more.values); }
};

// Binds the values.
Result<SqlStatement> PrepareText(SqlConnection& file, const SqlText& text);

// Where a page begins: after the row of this time and id.
struct HistoryCursor {
  int64_t time = 0;
  int64_t id = 0;
};
std::string FormatCursor(const HistoryCursor& cursor);
// None for the first page; kRejected when `text` is no cursor.
Result<std::optional<HistoryCursor>> ParseCursor(const std::string& text);

// Conditions on `events`, each with " AND " before it; an empty text for none.
struct HistoryConditions {
  SqlText object;
  SqlText reason;
  SqlText time;
};
HistoryConditions ConditionsOf(const EventQuery& query);

// The words for MATCH, each of which a word of the message begins with; empty
// when there are none. Punctuation only separates words.
std::string MatchOf(const std::vector<std::string>& words);

}  // namespace kem

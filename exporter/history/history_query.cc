#include "history/history_query.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/utf8.h"

namespace kem {
namespace {

// Joined to "... AND id IN (SELECT id FROM <table> WHERE ...)".
class Subquery {
 public:
  Subquery(std::string_view column, std::string_view table) {
    text_.sql.append(" AND ")
        .append(column)
        .append(" IN (SELECT id FROM ")
        .append(table)
        .append(" WHERE 1");
  }
  void Equals(std::string_view column, const std::string& value) {
    if (!value.empty()) Is(column, value);
  }
  void Is(std::string_view column, std::variant<int64_t, std::string> value) {
    text_.sql.append(" AND ").append(column).append(" = ?");
    text_.values.push_back(std::move(value));
    used_ = true;
  }
  SqlText Done() && {
    if (!used_) return {};
    text_.Add(")");
    return std::move(text_);
  }

 private:
  SqlText text_;
  bool used_ = false;
};

}  // namespace

SqlText& SqlText::Add(std::string_view more, const Values& its_values) {
  sql.append(more);
  values.insert(values.end(), its_values.begin(), its_values.end());
  return *this;
}

Result<SqlStatement> PrepareText(SqlConnection& file, const SqlText& text) {
  Result<SqlStatement> statement = file.Prepare(text.sql);
  if (!statement) return statement;
  int parameter = 0;
  for (const auto& value : text.values) {
    ++parameter;
    if (const auto* number = std::get_if<int64_t>(&value)) {
      statement->Bind(parameter, *number);
    } else {
      statement->Bind(parameter, std::string_view(std::get<1>(value)));
    }
  }
  return statement;
}

std::string FormatCursor(const HistoryCursor& cursor) {
  return std::to_string(cursor.time) + "-" + std::to_string(cursor.id);
}

Result<std::optional<HistoryCursor>> ParseCursor(const std::string& text) {
  if (text.empty()) return std::optional<HistoryCursor>();
  const std::string_view all = text;
  const size_t dash = all.find('-');
  const auto time = ParseNumber<int64_t>(all.substr(0, dash));
  const auto id = ParseNumber<int64_t>(dash == std::string_view::npos
                                           ? std::string_view()
                                           : all.substr(dash + 1));
  if (!time || !id || *time < 0 || *id < 0) {
    return Error{ErrorCode::kRejected,
                 "the cursor is not one of an earlier response"};
  }
  return std::optional<HistoryCursor>({*time, *id});
}

HistoryConditions ConditionsOf(const EventQuery& query) {
  HistoryConditions conditions;
  Subquery object("object", "objects");
  object.Equals("name", query.name);
  object.Equals("kind", query.kind);
  object.Equals("uid", query.object_uid);
  if (query.object_namespace) {
    const bool cluster = query.object_namespace->empty();
    object.Is("cluster_scoped", int64_t{cluster});
    object.Equals("namespace", *query.object_namespace);
  }
  conditions.object = std::move(object).Done();

  Subquery reason("reason", "reasons");
  reason.Equals("reason", query.reason);
  reason.Equals("type", query.type);
  reason.Equals("reporting_component", query.component);
  reason.Equals("host", query.host);
  conditions.reason = std::move(reason).Done();

  const int64_t since = query.since ? Micros(*query.since) : INT64_MIN;
  if (query.since) {
    conditions.time.Add(" AND received >= ?", {since});
  }
  if (query.until) {
    const int64_t until = Micros(*query.until);
    conditions.time.Add(
        " AND first_received < ? AND (received < ? OR EXISTS(SELECT 1 FROM "
        "jumps WHERE event = events.id AND at >= ? AND at < ?))",
        {until, until, since, until});
  }
  return conditions;
}

// Each word is a string of FTS5, in which only the quote is special: a phrase
// of its words, whose last one may continue. A zero byte would end the
// expression.
std::string MatchOf(const std::vector<std::string>& words) {
  std::string match;
  std::string buffer;
  for (const std::string& word : words) {
    if (std::none_of(word.begin(), word.end(), IsWordByte)) continue;
    match += match.empty() ? "\"" : " \"";
    for (const char c : ValidUtf8(word, buffer)) {
      match += c == '\0' || c == '"' ? ' ' : c;
    }
    match += "\" *";
  }
  return match;
}

}  // namespace kem

#include "history/history_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "history/schema.h"

namespace kem {
namespace {

constexpr size_t kReaderCache = size_t{1} << 20;
constexpr int kReaderPatienceMillis = 100;
// A page ends when its texts have this size.
constexpr size_t kMaxBytes = size_t{4} << 20;
// So few Events are read and sorted. Of more, it is faster to look for the
// latest in their order.
constexpr int64_t kFew = 5000;
// Events with the same words that are remembered, in 2 MiB.
constexpr size_t kMaxMatches = size_t{1} << 18;

constexpr std::string_view kByReceived = " INDEXED BY by_received";
constexpr std::string_view kByObject = " INDEXED BY by_object";
constexpr std::string_view kByReason = " INDEXED BY by_reason";
constexpr std::string_view kById = " NOT INDEXED";

WallTime TimeOf(int64_t micros) {
  return WallTime(std::chrono::microseconds(micros));
}

// Another program may have written the file.
std::string TextOf(const SqlStatement& row, int column) {
  std::string buffer;
  return std::string(ValidUtf8(row.Text(column), buffer));
}

FoundEvent EventOf(const SqlStatement& row) {
  FoundEvent event;
  event.uid = row.HasBytes(0) ? UnpackUuid(row.Text(0)) : TextOf(row, 0);
  int column = 1;
  for (std::string FoundEvent::*const text :
       {&FoundEvent::event_namespace, &FoundEvent::name,
        &FoundEvent::api_version, &FoundEvent::kind,
        &FoundEvent::object_namespace, &FoundEvent::object_name,
        &FoundEvent::object_uid, &FoundEvent::reason, &FoundEvent::type,
        &FoundEvent::reporting_component, &FoundEvent::host,
        &FoundEvent::message}) {
    event.*text = TextOf(row, column++);
  }
  event.cluster_scoped = row.Integer(column++) != 0;
  event.count =
      static_cast<uint64_t>(std::max<int64_t>(row.Integer(column++), 1));
  event.first_seen = TimeOf(row.Integer(column++));
  event.last_seen = TimeOf(row.Integer(column++));
  event.received = TimeOf(row.Integer(column));
  return event;
}

constexpr std::string_view kSelectEvent =
    "SELECT e.uid, e.namespace, e.name, o.api_version, o.kind, o.namespace, "
    "o.name, o.uid, r.reason, r.type, r.reporting_component, r.host, "
    "e.message, "
    "o.cluster_scoped, e.count, e.first_seen, e.last_seen, e.received "
    "FROM events AS e JOIN objects AS o ON o.id = e.object "
    "JOIN reasons AS r ON r.id = e.reason WHERE e.id = ?";

size_t SizeOf(const FoundEvent& event) {
  return sizeof(event) + event.uid.size() + event.name.size() +
         event.object_name.size() + event.object_uid.size() +
         event.reason.size() + event.reporting_component.size() +
         event.host.size() + event.message.size() +
         event.jumps.size() * sizeof(Jump);
}

int64_t LimitOf(const EventQuery& query) {
  return static_cast<int64_t>(
      std::clamp<size_t>(query.limit, 1, EventQuery::kMaxLimit));
}

}  // namespace

HistoryReader::HistoryReader(std::string path, const Clock& clock,
                             HistoryStatus& status)
    : path_(std::move(path)), clock_(clock), status_(status) {}

Result<FoundEvents> HistoryReader::FindEvents(const EventQuery& query,
                                              const std::stop_token& stop) {
  return Ask<FoundEvents>(stop, [&] { return Events(query); });
}

Result<FoundObjects> HistoryReader::FindObjects(const EventQuery& query,
                                                const std::stop_token& stop) {
  return Ask<FoundObjects>(stop, [&] { return Objects(query); });
}

WallTime HistoryReader::KnownSince() {
  const Result<WallTime> since = Ask<WallTime>({}, [&]() -> Result<WallTime> {
    const Result<int64_t> micros =
        file_->Integer("SELECT known_since FROM about");
    if (!micros) return micros.error();
    return TimeOf(*micros);
  });
  const WallTime now = clock_.WallNow();
  return since && *since != WallTime() ? std::min(*since, now) : now;
}

// In one transaction, so that all rows are of one moment.
template <typename Found, typename Body>
Result<Found> HistoryReader::Ask(const std::stop_token& stop, Body body) {
  const std::lock_guard guard(mutex_);
  stop_ = stop;
  deadline_ = clock_.SteadyNow() + kQueryLimit;
  const Result<bool> open = EnsureOpen();
  if (!open) return Failed(open.error());
  if (!*open) return Found();
  if (Result<void> begun = file_->Run("BEGIN"); !begun) {
    return Failed(begun.error());
  }
  Result<Found> found = body();
  if (!found) return Failed(found.error());
  deadline_ = SteadyTime::max();
  stop_ = {};
  file_->SetFilter(nullptr);  // frees what it holds
  const Result<void> ended = file_->Run("COMMIT");
  if (!ended) return Failed(ended.error());
  return found;
}

// False when there is no file.
Result<bool> HistoryReader::EnsureOpen() {
  if (file_ && file_->IsCurrent()) return true;
  file_.reset();
  struct stat status = {};
  if (::stat(path_.c_str(), &status) != 0 && errno == ENOENT) return false;
  Result<SqlConnection> file = SqlConnection::Open(
      path_, SqlConnection::Access::kRead, kReaderCache, kReaderPatienceMillis);
  if (!file) return file.error();
  // The writer may not have made its tables yet.
  const Result<int64_t> version = file->Integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version == 0) return false;
  file_.emplace(std::move(*file));
  file_->CheckStop([this] { return IsOver(); });
  return true;
}

bool HistoryReader::IsOver() const {
  return stop_.stop_requested() || clock_.SteadyNow() >= deadline_;
}

// Closes the file, which ends the transaction: while it lasts the WAL cannot be
// emptied. The writer puts a damaged file aside.
Error HistoryReader::Failed(const Error& error) {
  const bool current = file_ && file_->IsCurrent();
  file_.reset();
  switch (error.code) {
    case ErrorCode::kRejected:
      return error;
    case ErrorCode::kCancelled:
      if (stop_.stop_requested()) {
        return {ErrorCode::kCancelled, "the question was stopped"};
      }
      return {ErrorCode::kUnavailable,
              "the question takes longer than " +
                  std::to_string(kQueryLimit.count()) +
                  " ms; narrow it by kind, name, reason or time"};
    case ErrorCode::kMalformed:
      if (current) status_.NoteDamage(path_);
      [[fallthrough]];
    default:
      return {ErrorCode::kUnavailable,
              "the history cannot be read: " + error.message};
  }
}

// In the order of their ids, for binary searches. FTS5 returns them so.
Result<HistoryReader::Matches> HistoryReader::FindWords(
    const EventQuery& query, const std::string& match) {
  Matches matches;
  if (match.empty()) return matches;
  matches.emplace();
  SqlText text;
  text.Add("SELECT rowid FROM words WHERE words MATCH ?", {match});
  if (query.since) {
    // An Event that is older than all of these has no occurrence since then.
    text.Add(
        " AND rowid >= (SELECT min(id) FROM events INDEXED BY by_received "
        "WHERE received >= ?)",
        {query.since->time_since_epoch().count()});
  }
  Result<SqlStatement> ids = PrepareText(*file_, text);
  if (!ids) return ids.error();
  while (true) {
    const Result<bool> row = ids->Step();
    if (!row) return row.error();
    if (!*row) return matches;
    if (IsOver()) return Error{ErrorCode::kCancelled, ""};
    if (matches->size() == kMaxMatches) {
      return Error{ErrorCode::kCancelled, ""};
    }
    matches->push_back(ids->Integer(0));
  }
}

Result<bool> HistoryReader::AreFew(std::string_view index,
                                   const SqlText& condition) {
  if (condition.sql.empty()) return false;
  SqlText text;
  text.Add("SELECT count(*) FROM (SELECT 1 FROM events")
      .Add(index)
      .Add(" WHERE 1")
      .Add(condition)
      .Add(" LIMIT ?)", {kFew + 1});
  Result<SqlStatement> count = PrepareText(*file_, text);
  if (!count) return count.error();
  const Result<bool> row = count->Step();
  if (!row) return row.error();
  return count->Integer(0) <= kFew;
}

// Without statistics SQLite does not know which condition leaves few Events.
Result<HistoryReader::Search> HistoryReader::Plan(
    const EventQuery& query, std::string_view usual_index) {
  const HistoryConditions conditions = ConditionsOf(query);
  Search search{{}, usual_index};
  if (usual_index != kByReceived) {
    const Result<bool> in_time = AreFew(kByReceived, conditions.time);
    if (!in_time) return in_time.error();
    if (*in_time) search.index = kByReceived;
  }
  const Result<bool> by_object = AreFew(kByObject, conditions.object);
  if (!by_object) return by_object.error();
  const Result<bool> by_reason = AreFew(kByReason, conditions.reason);
  if (!by_reason) return by_reason.error();
  if (*by_reason) search.index = kByReason;
  if (*by_object) search.index = kByObject;
  search.conditions.Add(conditions.object);
  search.conditions.Add(conditions.reason);
  search.conditions.Add(conditions.time);
  const std::string match = MatchOf(query.words);
  Result<Matches> matches = FindWords(query, match);
  if (!matches) return matches.error();
  if (!*matches) return search;
  if (!*by_object && (*matches)->size() <= static_cast<size_t>(kFew)) {
    search.index = kById;
    search.conditions.Add(
        {" AND id IN (SELECT rowid FROM words WHERE words MATCH ?)", {match}});
    return search;
  }
  file_->SetFilter([found = std::move(**matches)](int64_t id) {
    return std::binary_search(found.begin(), found.end(), id);
  });
  search.conditions.Add(" AND passes(id)");
  return search;
}

Result<FoundEvents> HistoryReader::Events(const EventQuery& query) {
  const auto cursor = ParseCursor(query.cursor);
  if (!cursor) return cursor.error();
  const Result<Search> search = Plan(query, kByReceived);
  if (!search) return search.error();
  SqlText text;
  text.Add("SELECT id, received FROM events")
      .Add(search->index)
      .Add(" WHERE 1")
      .Add(search->conditions);
  if (*cursor) {
    text.Add(
        {" AND (received, id) < (?, ?)", {(*cursor)->time, (*cursor)->id}});
  }
  text.Add(" ORDER BY received DESC, id DESC LIMIT ?", {LimitOf(query) + 1});
  Result<SqlStatement> ids = PrepareText(*file_, text);
  if (!ids) return ids.error();
  Result<SqlStatement> one = file_->Prepare(kSelectEvent);
  if (!one) return one.error();
  Result<SqlStatement> jumps =
      file_->Prepare("SELECT at, delta FROM jumps WHERE event = ? ORDER BY at");
  if (!jumps) return jumps.error();

  FoundEvents found;
  size_t bytes = 0;
  HistoryCursor last;
  while (true) {
    const Result<bool> row = ids->Step();
    if (!row) return row.error();
    if (!*row) return found;
    if (IsOver()) return Error{ErrorCode::kCancelled, ""};
    if (std::ssize(found.events) == LimitOf(query) || bytes > kMaxBytes) {
      found.next = FormatCursor(last);
      return found;
    }
    last = {ids->Integer(1), ids->Integer(0)};
    const Result<bool> event = one->Bind(1, last.id).Step();
    if (!event) return event.error();
    if (!*event) continue;  // its object is missing
    found.events.push_back(EventOf(*one));
    one->Reset();
    jumps->Bind(1, last.id);
    while (true) {
      const Result<bool> jump = jumps->Step();
      if (!jump) return jump.error();
      if (!*jump) break;
      if (IsOver()) return Error{ErrorCode::kCancelled, ""};
      found.events.back().jumps.push_back(
          {TimeOf(jumps->Integer(0)), static_cast<uint32_t>(std::clamp<int64_t>(
                                          jumps->Integer(1), 0, UINT32_MAX))});
    }
    bytes += SizeOf(found.events.back());
  }
}

// Objects of one name are one, whatever their uids are: a Pod of a StatefulSet
// gets another uid each time.
Result<FoundObjects> HistoryReader::Objects(const EventQuery& query) {
  const auto cursor = ParseCursor(query.cursor);
  if (!cursor) return cursor.error();
  // The Events of one object are next to each other in by_object; else all of
  // them would be sorted.
  const Result<Search> search = Plan(query, kByObject);
  if (!search) return search.error();
  SqlText text;
  text.Add(
          "SELECT o.api_version, o.kind, o.namespace, o.name, "
          "o.cluster_scoped, "
          "sum(found.events), sum(found.warnings), max(found.last) AS last, "
          "max(o.id) AS newest FROM (SELECT object, count(*) AS events, "
          "sum(reason IN (SELECT id FROM reasons WHERE type = 'Warning')) "
          "AS warnings, max(received) AS last FROM events")
      .Add(search->index)
      .Add(" WHERE 1")
      .Add(search->conditions)
      .Add(
          " GROUP BY object) AS found JOIN objects AS o ON o.id = found.object "
          "GROUP BY o.name, o.kind, o.namespace, o.api_version, "
          "o.cluster_scoped");
  if (*cursor) {
    text.Add(" HAVING (max(found.last), max(o.id)) < (?, ?)",
             {(*cursor)->time, (*cursor)->id});
  }
  text.Add(" ORDER BY last DESC, newest DESC LIMIT ?", {LimitOf(query) + 1});
  Result<SqlStatement> rows = PrepareText(*file_, text);
  if (!rows) return rows.error();
  FoundObjects found;
  HistoryCursor last;
  while (true) {
    const Result<bool> row = rows->Step();
    if (!row) return row.error();
    if (!*row) return found;
    if (IsOver()) return Error{ErrorCode::kCancelled, ""};
    if (std::ssize(found.objects) == LimitOf(query)) {
      found.next = FormatCursor(last);
      return found;
    }
    last = {rows->Integer(7), rows->Integer(8)};
    FoundObject& object = found.objects.emplace_back();
    object.api_version = TextOf(*rows, 0);
    object.kind = TextOf(*rows, 1);
    object.object_namespace = TextOf(*rows, 2);
    object.name = TextOf(*rows, 3);
    object.cluster_scoped = rows->Integer(4) != 0;
    object.events = static_cast<uint64_t>(rows->Integer(5));
    object.warnings = static_cast<uint64_t>(rows->Integer(6));
    object.last_received = TimeOf(last.time);
  }
}

}  // namespace kem

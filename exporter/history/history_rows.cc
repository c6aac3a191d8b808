#include "history/history_rows.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "history/schema.h"

namespace kem {
namespace {

// Of kStatements.
enum Statement : size_t {
  kFindEvent,
  kInsertEvent,
  kUpdateEvent,
  kAddJump,
  kTrimJumps,
  kFindObject,
  kInsertObject,
  kFindReason,
  kInsertReason,
  kOldest,
  kRemove,
  kKnownSince,
  kMergeWords,
  kClearWords,
};

constexpr std::array<std::string_view, kClearWords + 1> kStatements = {
    // The plus keeps SQLite from putting ?1 for uid in substr() too, and then
    // reading all rows.
    "SELECT id, count, resource_version, last_seen FROM events INDEXED BY "
    "by_uid WHERE substr(uid, -8) = substr(?1, -8) AND +uid = ?1",
    "INSERT INTO events(uid, namespace, name, object, reason, message, count, "
    "occurrences, resource_version, first_seen, last_seen, first_received, "
    "received) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
    "UPDATE events SET namespace = ?2, name = ?3, object = ?4, reason = ?5, "
    "message = ?6, count = ?7, occurrences = occurrences + ?8, "
    "resource_version = max(resource_version, ?9), first_seen = ?10, "
    "last_seen = iif(?9 >= resource_version, ?11, last_seen), received = ?12 "
    "WHERE id = ?1",
    "INSERT INTO jumps(event, at, delta) VALUES(?1, ?2, ?3) "
    "ON CONFLICT DO UPDATE SET delta = delta + excluded.delta",
    "DELETE FROM jumps WHERE event = ?1 AND at <= (SELECT at FROM jumps WHERE "
    "event = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)",
    "SELECT id FROM objects WHERE name = ?1 AND kind = ?2 AND namespace = ?3 "
    "AND api_version = ?4 AND uid = ?5 AND cluster_scoped = ?6",
    "INSERT INTO objects(name, kind, namespace, api_version, uid, "
    "cluster_scoped) VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    "SELECT id FROM reasons WHERE reason = ?1 AND type = ?2 AND "
    "reporting_component = ?3 AND host = ?4",
    "INSERT INTO reasons(reason, type, reporting_component, host) "
    "VALUES(?1, ?2, ?3, ?4)",
    "SELECT id, received FROM events INDEXED BY by_received "
    "WHERE received < ?2 ORDER BY received, id LIMIT ?1",
    "DELETE FROM events WHERE id = ?1",
    "UPDATE about SET known_since = max(known_since, ?1)",
    "INSERT INTO words(words, rank) VALUES('merge', ?1)",
    "INSERT INTO words(words) VALUES('delete-all')",
};

int64_t VersionOf(const Occurrence& occurrence) {
  return static_cast<int64_t>(
      std::min<uint64_t>(occurrence.resource_version, INT64_MAX));
}

// The API server gives each Event a uid.
std::string UidOf(const Occurrence& occurrence) {
  if (!occurrence.uid.empty()) return std::string(occurrence.uid);
  return std::string(occurrence.event_namespace)
      .append("/")
      .append(occurrence.name);
}

// As the first parameter.
void BindUid(const Occurrence& occurrence, SqlStatement& statement) {
  if (const auto bytes = PackUuid(occurrence.uid)) {
    statement.BindBytes(1, *bytes);
  } else {
    statement.Bind(1, UidOf(occurrence));
  }
}

}  // namespace

Result<HistoryRows> HistoryRows::Prepare(SqlConnection& file) {
  const Result<int64_t> events = file.Integer("SELECT count(*) FROM events");
  if (!events) return events.error();
  HistoryRows rows(file, static_cast<uint64_t>(*events));
  for (const std::string_view sql : kStatements) {
    Result<SqlStatement> statement = file.Prepare(sql);
    if (!statement) return statement.error();
    rows.statements_.push_back(std::move(*statement));
  }
  return rows;
}

// An occurrence is known if its count is, because its id has only uid and
// count. A lower count is new if its time is newer: the Event's writer was
// restarted (event_tracker.cc, Compare). A higher one is known if the count
// fell after it. Of what the exporter counts after the loss of its state, only
// the difference is new.
Result<void> HistoryRows::Add(const Occurrence& occurrence, WallTime now) {
  SqlStatement& find = statements_[kFindEvent];
  BindUid(occurrence, find);
  const Result<bool> found = find.Step();
  if (!found) return found.error();
  if (!*found) return Insert(occurrence, Micros(now));
  const int64_t event = find.Integer(0);
  const int64_t grown = int64_t{occurrence.count} - find.Integer(1);
  const bool later_version = VersionOf(occurrence) > find.Integer(2);
  const bool later = Micros(occurrence.occurred_at) > find.Integer(3);
  find.Reset();
  const int64_t delta = occurrence.delta;
  if (grown > 0 && (later || later_version)) {
    return Grow(event, occurrence, std::min(grown, delta), Micros(now));
  }
  if (grown < 0 && later) return Grow(event, occurrence, delta, Micros(now));
  return {};
}

Result<void> HistoryRows::Insert(const Occurrence& occurrence, int64_t now) {
  SqlStatement& insert = statements_[kInsertEvent];
  BindUid(occurrence, insert);
  Result<void> inserted = Write(insert, occurrence, occurrence.delta, now);
  if (!inserted) return inserted;
  ++events_;
  return AddJump(file_->last_id(), occurrence.delta, now);
}

Result<void> HistoryRows::Grow(int64_t event, const Occurrence& occurrence,
                               int64_t delta, int64_t now) {
  Result<void> updated =
      Write(statements_[kUpdateEvent].Bind(1, event), occurrence, delta, now);
  if (!updated) return updated;
  if (Result<void> added = AddJump(event, delta, now); !added) return added;
  return statements_[kTrimJumps].Bind(1, event).Bind(2, kMaxJumps).Run();
}

// Both statements have the same parameters after the first.
Result<void> HistoryRows::Write(SqlStatement& statement,
                                const Occurrence& occurrence, int64_t delta,
                                int64_t now) {
  const Result<int64_t> object = ObjectOf(occurrence);
  if (!object) return object.error();
  const Result<int64_t> reason = ReasonOf(occurrence);
  if (!reason) return reason.error();
  return statement.Bind(2, occurrence.event_namespace)
      .Bind(3, occurrence.name)
      .Bind(4, *object)
      .Bind(5, *reason)
      .Bind(6, occurrence.message)
      .Bind(7, int64_t{occurrence.count})
      .Bind(8, delta)
      .Bind(9, VersionOf(occurrence))
      .Bind(10, Micros(occurrence.first_seen))
      .Bind(11, Micros(occurrence.occurred_at))
      .Bind(12, now)
      .Run();
}

Result<void> HistoryRows::AddJump(int64_t event, int64_t delta, int64_t now) {
  return statements_[kAddJump].Bind(1, event).Bind(2, now).Bind(3, delta).Run();
}

Result<int64_t> HistoryRows::ObjectOf(const Occurrence& occurrence) {
  const bool cluster = occurrence.scope == Scope::kCluster;
  return FindOrInsert(kFindObject, kInsertObject, [&](SqlStatement& statement) {
    statement.Bind(1, occurrence.object_name)
        .Bind(2, occurrence.kind)
        .Bind(3, cluster ? std::string_view() : NamespaceOfObject(occurrence))
        .Bind(4, occurrence.api_version)
        .Bind(5, occurrence.object_uid)
        .Bind(6, int64_t{cluster});
  });
}

Result<int64_t> HistoryRows::ReasonOf(const Occurrence& occurrence) {
  return FindOrInsert(kFindReason, kInsertReason, [&](SqlStatement& statement) {
    statement.Bind(1, occurrence.reason)
        .Bind(2, occurrence.type)
        .Bind(3, occurrence.reporting_component)
        .Bind(4, occurrence.host);
  });
}

// The id of the row with these values.
template <typename Bind>
Result<int64_t> HistoryRows::FindOrInsert(size_t find, size_t insert,
                                          Bind bind) {
  for (const size_t which : {find, insert}) {
    SqlStatement& statement = statements_[which];
    bind(statement);
    const Result<bool> row = statement.Step();
    if (!row) return row.error();
    if (!*row) continue;
    const int64_t id = statement.Integer(0);
    statement.Reset();
    return id;
  }
  return file_->last_id();
}

Result<std::optional<WallTime>> HistoryRows::Oldest() {
  SqlStatement& oldest = statements_[kOldest];
  const Result<bool> row = oldest.Bind(1, int64_t{1}).Bind(2, INT64_MAX).Step();
  if (!row) return row.error();
  if (!*row) return std::optional<WallTime>();
  const WallTime time{std::chrono::microseconds(oldest.Integer(1))};
  oldest.Reset();
  return std::optional<WallTime>(time);
}

Result<size_t> HistoryRows::RemoveOldest(size_t most,
                                         std::optional<WallTime> end) {
  std::vector<int64_t> ids;
  int64_t until = 0;
  SqlStatement& oldest = statements_[kOldest];
  oldest.Bind(1, static_cast<int64_t>(most))
      .Bind(2, end ? Micros(*end) : INT64_MAX);
  while (true) {
    const Result<bool> row = oldest.Step();
    if (!row) return row.error();
    if (!*row) break;
    ids.push_back(oldest.Integer(0));
    until = oldest.Integer(1);
  }
  if (ids.empty()) return size_t{0};
  for (const int64_t id : ids) {
    Result<void> removed = statements_[kRemove].Bind(1, id).Run();
    if (!removed) return removed.error();
  }
  events_ -= std::min<uint64_t>(events_, ids.size());
  Result<void> noted = statements_[kKnownSince].Bind(1, until).Run();
  if (!noted) return noted.error();
  return ids.size();
}

Result<void> HistoryRows::MergeWords(int64_t pages) {
  if (events_ == 0) return statements_[kClearWords].Run();
  return statements_[kMergeWords].Bind(1, pages).Run();
}

}  // namespace kem

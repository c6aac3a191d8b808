#include "history/schema.h"

#include <array>
#include <string>

namespace kem {
namespace {

// Events have random uids, so an index of their last 8 bytes finds them as fast
// as one of all 16. Those of other texts differ there too, not at the
// beginning. The other indexes have all that a condition of a query needs, so
// that rows are read only to be returned. id is in by_received because its
// order must be that of pages: all Events of a batch are received at the same
// time.
//
// `words` keeps no copy of the messages, and only the words of their first 1024
// characters: removing an Event adds its words once more, until they are merged
// away, so it must free more space than that. The triggers keep it up to date,
// and remove objects and reasons that no Event has any more.
constexpr char kVersion1[] = R"(
CREATE TABLE about(known_since INTEGER NOT NULL);
INSERT INTO about VALUES(0);
CREATE TABLE objects(
  id INTEGER PRIMARY KEY,
  api_version TEXT NOT NULL,
  kind TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  uid TEXT NOT NULL,
  cluster_scoped INTEGER NOT NULL,
  UNIQUE(name, kind, namespace, api_version, uid, cluster_scoped));
CREATE TABLE reasons(
  id INTEGER PRIMARY KEY,
  reason TEXT NOT NULL,
  type TEXT NOT NULL,
  reporting_component TEXT NOT NULL,
  host TEXT NOT NULL,
  UNIQUE(reason, type, reporting_component, host));
CREATE TABLE events(
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  object INTEGER NOT NULL REFERENCES objects,
  reason INTEGER NOT NULL REFERENCES reasons,
  message TEXT NOT NULL,
  count INTEGER NOT NULL,
  occurrences INTEGER NOT NULL,
  resource_version INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  first_received INTEGER NOT NULL,
  received INTEGER NOT NULL);
CREATE INDEX by_uid ON events(substr(uid, -8));
CREATE INDEX by_received ON events(received, id, first_received, object,
  reason);
CREATE INDEX by_object ON events(object, received, reason);
CREATE INDEX by_reason ON events(reason, received);
CREATE TABLE jumps(
  event INTEGER NOT NULL REFERENCES events,
  at INTEGER NOT NULL,
  delta INTEGER NOT NULL,
  PRIMARY KEY(event, at)) WITHOUT ROWID;
CREATE VIEW word_list AS
  SELECT id, substr(message, 1, 1024) AS message FROM events;
CREATE VIRTUAL TABLE words USING fts5(message, content='word_list',
  content_rowid='id', columnsize=0);
INSERT INTO words(words, rank) VALUES('usermerge', 2);
CREATE TRIGGER event_added AFTER INSERT ON events BEGIN
  INSERT INTO words(rowid, message) VALUES(new.id, substr(new.message, 1, 1024));
END;
CREATE TRIGGER message_changed AFTER UPDATE OF message ON events
WHEN old.message IS NOT new.message BEGIN
  INSERT INTO words(words, rowid, message)
    VALUES('delete', old.id, substr(old.message, 1, 1024));
  INSERT INTO words(rowid, message) VALUES(new.id, substr(new.message, 1, 1024));
END;
CREATE TRIGGER object_changed AFTER UPDATE OF object ON events
WHEN old.object IS NOT new.object BEGIN
  DELETE FROM objects WHERE id = old.object
    AND NOT EXISTS(SELECT 1 FROM events WHERE object = old.object);
END;
CREATE TRIGGER reason_changed AFTER UPDATE OF reason ON events
WHEN old.reason IS NOT new.reason BEGIN
  DELETE FROM reasons WHERE id = old.reason
    AND NOT EXISTS(SELECT 1 FROM events WHERE reason = old.reason);
END;
CREATE TRIGGER event_removed AFTER DELETE ON events BEGIN
  INSERT INTO words(words, rowid, message)
    VALUES('delete', old.id, substr(old.message, 1, 1024));
  DELETE FROM jumps WHERE event = old.id;
  DELETE FROM objects WHERE id = old.object
    AND NOT EXISTS(SELECT 1 FROM events WHERE object = old.object);
  DELETE FROM reasons WHERE id = old.reason
    AND NOT EXISTS(SELECT 1 FROM events WHERE reason = old.reason);
END;
CREATE VIEW event_list AS SELECT
    datetime(e.received / 1000000, 'unixepoch') AS received,
    o.kind, o.namespace, o.name, r.type, r.reason, r.reporting_component,
    e.count, e.occurrences, e.message
  FROM events AS e
  JOIN objects AS o ON o.id = e.object
  JOIN reasons AS r ON r.id = e.reason
  ORDER BY e.received DESC, e.id DESC;
)";

constexpr std::array kSteps = {kVersion1};

constexpr std::string_view kDigits = "0123456789abcdef";
constexpr size_t kUuidBytes = 16;

// A dash is before these bytes of a UUID.
bool HasDashBefore(size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

}  // namespace

std::span<const char* const> HistorySchema() { return kSteps; }

std::optional<std::string> PackUuid(std::string_view text) {
  if (text.size() != 2 * kUuidBytes + 4) return std::nullopt;
  std::string bytes;
  for (size_t at = 0; bytes.size() < kUuidBytes; at += 2) {
    if (HasDashBefore(bytes.size()) && text[at++] != '-') return std::nullopt;
    const size_t high = kDigits.find(text[at]);
    const size_t low = kDigits.find(text[at + 1]);
    if (high > 15 || low > 15) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string UnpackUuid(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (HasDashBefore(i)) text += '-';
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += kDigits[byte / 16];
    text += kDigits[byte % 16];
  }
  return text;
}

Result<void> PrepareSchema(SqlConnection& file,
                           std::span<const char* const> steps, WallTime now) {
  const Result<int64_t> tables =
      file.Integer("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  const Result<int64_t> owner = file.Integer("PRAGMA application_id");
  if (!owner) return owner.error();
  const bool empty = *tables == 0 && *owner == 0;
  if (!empty && *owner != kHistoryApplicationId) {
    return Error{ErrorCode::kRejected,
                 file.path() +
                     " is a database of another program; give the history a "
                     "path of its own"};
  }
  const Result<int64_t> version = file.Integer("PRAGMA user_version");
  if (!version) return version.error();
  if (*version < 0 || *version > static_cast<int64_t>(steps.size())) {
    return Error{ErrorCode::kMalformed,
                 file.path() + " has version " + std::to_string(*version) +
                     ", and this exporter knows versions up to " +
                     std::to_string(steps.size())};
  }
  // Without effect on a file with tables.
  Result<void> done =
      file.Run("PRAGMA auto_vacuum=INCREMENTAL;PRAGMA journal_mode=WAL");
  for (size_t i = static_cast<size_t>(*version); done && i < steps.size();
       ++i) {
    std::string step = "BEGIN IMMEDIATE;";
    step.append(steps[i]);
    if (i == 0) {
      step += ";UPDATE about SET known_since=" +
              std::to_string(now.time_since_epoch().count());
    }
    step += ";PRAGMA application_id=" + std::to_string(kHistoryApplicationId) +
            ";PRAGMA user_version=" + std::to_string(i + 1) + ";COMMIT";
    done = file.Run(step);
  }
  return done;
}

}  // namespace kem

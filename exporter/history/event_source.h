// Questions about Events, and who answers them: the history, which has days of
// them (history_reader.h), or the memory of the last hour (recent_source.h).
// Used by the API and the pages. Does not read URLs (event_query.h) and renders
// nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace kem {

// Which Events to find: those that match all of it. An empty text matches any.
struct EventQuery {
  static constexpr size_t kMaxLimit = 500;

  std::string kind;
  std::string name;                             // of the object
  std::optional<std::string> object_namespace;  // "": cluster-scoped objects
  std::string reason;
  std::string type;
  std::string component;
  std::string object_uid;
  std::string host;                // of the writer, as FoundEvent::host
  std::vector<std::string> words;  // each is in the message, in any case
  // Events with an occurrence from `since` (included) to `until` (excluded).
  std::optional<WallTime> since;
  std::optional<WallTime> until;
  size_t limit = 100;
  // FoundEvents::next of the page before; empty for the first page.
  std::string cursor;
};

// New occurrences that became known at once.
struct Jump {
  WallTime at;
  uint32_t delta = 0;
};

struct FoundEvent {
  std::string uid;  // of the Event
  std::string event_namespace;
  std::string name;
  std::string api_version;  // of the object
  std::string kind;
  std::string object_namespace;
  std::string object_name;
  std::string object_uid;
  std::string reason;
  std::string type;
  std::string reporting_component;
  std::string host;     // source.host: a kubelet's node, any text of others
  std::string message;  // the newest
  bool cluster_scoped = false;
  uint64_t count = 1;  // the Event's own, since `first_seen`
  WallTime first_seen;
  WallTime last_seen;  // the newest occurrence by its writer's clock
  WallTime received;   // when the exporter learned of it
  // The newest of them, oldest first; they may have fewer occurrences than
  // `count`.
  std::vector<Jump> jumps;
};

struct FoundEvents {
  std::vector<FoundEvent> events;  // the latest received first
  std::string next;                // the next page; empty on the last one
};

// An object that Events are about.
struct FoundObject {
  std::string api_version;
  std::string kind;
  std::string object_namespace;
  std::string name;
  bool cluster_scoped = false;
  uint64_t events = 0;
  uint64_t warnings = 0;  // of these Events
  WallTime last_received;
};

struct FoundObjects {
  std::vector<FoundObject> objects;  // the latest received first
  std::string next;
};

// Thread-safe. A call returns soon after `stop` is requested, with kCancelled,
// and within kQueryLimit, with kUnavailable and what to narrow. kRejected for a
// cursor that is not one. Nothing throws.
class EventSource {
 public:
  static constexpr std::chrono::milliseconds kQueryLimit{200};

  virtual ~EventSource() = default;
  virtual Result<FoundEvents> FindEvents(const EventQuery& query,
                                         const std::stop_token& stop) = 0;
  virtual Result<FoundObjects> FindObjects(const EventQuery& query,
                                           const std::stop_token& stop) = 0;
  // The time before which it has nothing: for "since when" on the page.
  virtual WallTime KnownSince() = 0;
};

}  // namespace kem

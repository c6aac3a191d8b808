#include "history/recent_source.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "base/ascii.h"
#include "base/hash.h"

namespace kem {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

// The place of an entry: the latest first, then by a hash of its name, which
// may be any bytes and long. The cursor is the last one of a page. A letter
// keeps the cursors of other sources apart.
struct Place {
  WallTime received;
  uint64_t name;

  bool operator<(const Place& other) const {
    return std::tie(other.received, name) < std::tie(received, other.name);
  }
};

Place PlaceOf(const FoundEvent& event) {
  return {event.received,
          Checksum(event.event_namespace + "/" + event.name, 0)};
}

Place PlaceOf(const FoundObject& object) {
  return {
      object.last_received,
      Checksum(object.api_version + "/" + object.kind + "/" + object.name, 0)};
}

std::string CursorAt(const Place& place) {
  return "m" + std::to_string(place.received.time_since_epoch().count()) + "." +
         std::to_string(place.name);
}

Result<Place> ReadCursor(std::string_view cursor) {
  if (cursor.starts_with('m')) {
    cursor.remove_prefix(1);
    const auto micros = ParseNumber<int64_t>(TakeUntil(cursor, '.'));
    const auto name = ParseNumber<uint64_t>(cursor);
    if (micros && name) return Place{WallTime(microseconds(*micros)), *name};
  }
  return Error{ErrorCode::kRejected,
               "cursor must be the value of next in the page before; start "
               "again without it"};
}

// A jump took place in its minute.
bool InTime(const FoundEvent& event, const EventQuery& query) {
  const auto within = [&](WallTime from, WallTime to) {
    return (!query.since || to >= *query.since) &&
           (!query.until || from < *query.until);
  };
  return within(event.first_seen, event.first_seen) ||
         within(event.last_seen, event.last_seen) ||
         std::any_of(
             event.jumps.begin(), event.jumps.end(), [&](const Jump& jump) {
               return within(jump.at, jump.at + minutes(1) - microseconds(1));
             });
}

// " a space before each word": what the history's index of words has.
std::string WordsOf(std::string_view text) {
  std::string words;
  bool inside = false;
  for (const char c : AsciiLower(text)) {
    const bool letter = IsWordByte(c);
    if (letter && !inside) words += ' ';
    if (letter) words += c;
    inside = letter;
  }
  return words;
}

bool HasWords(const std::string& message,
              const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  const std::string words = WordsOf(message);
  return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& one) {
    return words.find(WordsOf(one)) != std::string::npos;
  });
}

bool Matches(const FoundEvent& event, const EventQuery& query) {
  const auto same = [](const std::string& wanted, const std::string& text) {
    return wanted.empty() || wanted == text;
  };
  return same(query.kind, event.kind) && same(query.name, event.object_name) &&
         query.object_namespace.value_or("") == event.object_namespace &&
         same(query.reason, event.reason) && same(query.type, event.type) &&
         same(query.component, event.reporting_component) &&
         same(query.object_uid, event.object_uid) &&
         same(query.host, event.host) && InTime(event, query) &&
         HasWords(event.message, query.words);
}

// Orders `all` and moves its page at the cursor to `page`; returns `next`.
template <typename T>
Result<std::string> TakePage(const EventQuery& query, std::vector<T> all,
                             std::vector<T>& page) {
  if (!query.cursor.empty()) {
    const Result<Place> last = ReadCursor(query.cursor);
    if (!last) return last.error();
    std::erase_if(all, [&](const T& one) { return !(*last < PlaceOf(one)); });
  }
  std::sort(all.begin(), all.end(),
            [](const T& a, const T& b) { return PlaceOf(a) < PlaceOf(b); });
  const size_t size = std::min(all.size(), query.limit);
  const bool more = all.size() > size;
  all.resize(size);
  page = std::move(all);
  return more && size > 0 ? CursorAt(PlaceOf(page.back())) : std::string();
}

}  // namespace

FoundEvent FoundOf(RecentEvent from) {
  FoundEvent event;
  event.uid = std::move(from.uid);
  event.event_namespace = std::move(from.event_namespace);
  event.name = std::move(from.name);
  event.api_version = std::move(from.api_version);
  event.kind = std::move(from.kind);
  event.object_name = std::move(from.object_name);
  event.object_uid = std::move(from.object_uid);
  event.reason = std::move(from.reason);
  event.type = std::move(from.type);
  event.reporting_component = std::move(from.reporting_component);
  event.message = std::move(from.message);
  event.cluster_scoped = true;
  event.count = from.count;
  event.first_seen = from.first_seen;
  event.last_seen = from.occurred_at;
  event.received = from.seen_at;
  for (const RecentEvent::Minute& minute : from.minutes) {
    event.jumps.push_back(
        {WallTime(minutes(minute.minute)), minute.occurrences});
  }
  std::sort(event.jumps.begin(), event.jumps.end(),
            [](const Jump& a, const Jump& b) { return a.at < b.at; });
  return event;
}

Result<std::vector<FoundEvent>> RecentSource::Match(
    const EventQuery& query, const std::stop_token& stop) const {
  std::vector<FoundEvent> matching;
  RecentEvents::View view = view_();
  for (RecentEvent& recent : view.events) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::kCancelled, "the query was stopped"};
    }
    FoundEvent event = FoundOf(std::move(recent));
    if (Matches(event, query)) matching.push_back(std::move(event));
  }
  return matching;
}

Result<FoundEvents> RecentSource::FindEvents(const EventQuery& query,
                                             const std::stop_token& stop) {
  Result<std::vector<FoundEvent>> matching = Match(query, stop);
  if (!matching) return matching.error();
  FoundEvents found;
  Result<std::string> next =
      TakePage(query, std::move(*matching), found.events);
  if (!next) return next.error();
  found.next = std::move(*next);
  return found;
}

Result<FoundObjects> RecentSource::FindObjects(const EventQuery& query,
                                               const std::stop_token& stop) {
  Result<std::vector<FoundEvent>> matching = Match(query, stop);
  if (!matching) return matching.error();
  std::map<std::tuple<std::string, std::string, std::string>, FoundObject>
      known;
  for (const FoundEvent& event : *matching) {
    FoundObject& object =
        known[{event.api_version, event.kind, event.object_name}];
    object.api_version = event.api_version;
    object.kind = event.kind;
    object.name = event.object_name;
    object.cluster_scoped = true;
    ++object.events;
    if (event.type == "Warning") ++object.warnings;
    object.last_received = std::max(object.last_received, event.received);
  }
  std::vector<FoundObject> all;
  all.reserve(known.size());
  for (auto& [key, object] : known) all.push_back(std::move(object));
  FoundObjects found;
  Result<std::string> next = TakePage(query, std::move(all), found.objects);
  if (!next) return next.error();
  found.next = std::move(*next);
  return found;
}

}  // namespace kem

// The Events of cluster-scoped objects of the last hour, with their messages,
// for the page at / and the API. Filled by the pipelines. A bounded memory of
// what was seen, not a cache of what exists: a deleted Event stays for its
// hour. The hour is this machine's: a writer whose clock is wrong can neither
// hide an Event nor keep it on top. Only what a first list has is as old as it
// claims. Of a dump it has the Events of any time.
//
// Not thread-safe: the world's mutex guards it. Nothing here fails.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/probing_table.h"
#include "events/event.h"

namespace kem {

// A copy of one Event. A text longer than its limit is cut at the end of a
// character and ends with "…", so that a cut name does not look complete.
struct RecentEvent {
  struct Minute {
    uint32_t minute;  // since 1970
    uint32_t occurrences;
  };

  std::string uid;
  std::string event_namespace;
  std::string name;
  std::string api_version;
  std::string kind;
  std::string object_name;
  std::string object_uid;
  std::string reason;
  std::string type;  // as written
  std::string reporting_component;
  std::string message;
  uint32_t count = 1;  // the Event's, since `first_seen`
  WallTime first_seen;
  // The newest occurrence by its writer's clock; never later than when it was
  // received.
  WallTime occurred_at;
  // When this process learned of the newest occurrence. For an Event of a first
  // list, occurred_at.
  WallTime seen_at;
  // With new occurrences, in the order of their arrival: at most an hour.
  std::vector<Minute> minutes;
  // Occurrences in the span; set by Newest.
  uint64_t in_window = 0;
  // There may be more: the exporter did not observe the whole span.
  bool at_least = false;
};

class RecentEvents {
 public:
  static constexpr std::chrono::hours kWindow{1};
  // With the limits below at most 2 MB, usually a tenth of that.
  static constexpr size_t kMaxEvents = 500;
  static constexpr size_t kMaxMessage = 1024;
  static constexpr size_t kMaxName = 256;  // of Events and objects
  static constexpr size_t kMaxWord = 128;  // of all other texts

  enum class Span { kHour, kAll };
  RecentEvents() = default;
  explicit RecentEvents(Span span) : span_(span) {}

  // Adds the Event, or replaces what is known of it. `delta` are its new
  // occurrences (0 for a baseline). An Event that was seen before the span is
  // ignored. When there is no room the oldest is dropped, Warnings last.
  void Observe(const Hash128& key, const Event& event, uint32_t delta,
               WallTime now);
  // Moves here what a list staged in `other`; of a baseline without
  // occurrences.
  void Absorb(RecentEvents& other, bool baseline, WallTime now);

  struct View {
    std::vector<RecentEvent> events;  // newest first
    // Others of the span were dropped because there was no room.
    bool more = false;
    // A complete list was absorbed: the Events that the API server had are
    // here.
    bool listed = false;
  };
  View Newest(WallTime now) const;

 private:
  using Index = uint32_t;
  static constexpr Index kNone = ProbingTable::kNone;

  using Minute = RecentEvent::Minute;
  struct Slot {
    Hash128 key;
    RecentEvent event;
    WallTime known_from;  // event.minutes has all occurrences since then
    bool warning = false;
    Index older = kNone;
    Index newer = kNone;
  };
  // Slots by the time at which they were seen.
  struct Line {
    Index oldest = kNone;
    Index newest = kNone;
  };

  auto KeyOf() const {
    return [this](Index index) -> const Hash128& { return slots_[index].key; };
  }
  // A slot for a new key; kNone when there is no room for it.
  Index Insert(const Hash128& key, bool warning, WallTime seen_at);
  void AbsorbSlot(Slot& staged, bool baseline, WallTime now);
  void Erase(Index index);
  void Enlist(Index index);
  void Unlist(Index index);
  static void Append(Minute added, std::vector<Minute>& minutes);
  void DropExpired(WallTime now);
  // Events at or before it are not kept.
  WallTime Cutoff(WallTime now) const {
    return span_ == Span::kAll ? WallTime::min() : now - kWindow;
  }

  Span span_ = Span::kHour;
  std::vector<Slot> slots_;
  ProbingTable table_{1024};
  std::array<Line, 2> lines_;  // others, Warnings
  std::vector<Index> free_;
  bool listed_ = false;
  // When the newest that was dropped was seen.
  WallTime left_out_ = WallTime::min();
};

}  // namespace kem

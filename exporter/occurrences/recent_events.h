// What happened to cluster-scoped objects within the last hour, for people: the
// Events themselves with their messages, which no metric keeps. Fed by the
// pipelines, read by the page at /. A bounded memory of what was seen, not a
// cache of what exists: an Event that was deleted stays until its hour is over.
//
// Not thread-safe: the world's mutex guards it. Nothing here fails.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "events/event.h"

namespace kem {

// A copy of one Event. A text longer than its limit is cut at a character's
// end and closed with "…", so that a cut name cannot be taken for a whole one.
struct RecentEvent {
  std::string event_namespace;
  std::string name;
  std::string api_version;
  std::string kind;
  std::string object_name;
  std::string reason;
  std::string type;  // as written
  std::string reporting_component;
  std::string message;
  // As the Event tells it: since `first_seen`.
  uint32_t count = 1;
  WallTime first_seen;
  // The newest occurrence; never after the moment at which it was seen.
  WallTime occurred_at;
  // Occurrences within the last hour; set by Newest. At least so many, where
  // the Event was there an hour ago and the exporter did not see all of it.
  uint64_t in_window = 0;
  bool at_least = false;
};

class RecentEvents {
 public:
  static constexpr std::chrono::hours kWindow{1};
  // With the texts' limits a megabyte and a half at worst, a tenth as a rule.
  static constexpr size_t kMaxEvents = 500;
  static constexpr size_t kMaxMessage = 1024;
  static constexpr size_t kMaxName = 256;  // of Events and objects
  static constexpr size_t kMaxWord = 128;  // of all else

  RecentEvents();

  // The Event looks like this, with `delta` occurrences that were not known
  // before (0 for a baseline). Older than the hour it is left out. Where there
  // is no room the oldest goes, those that are no Warnings first.
  void Observe(const Hash128& key, const Event& event, uint32_t delta,
               WallTime now);
  // `delta` more occurrences of an Event that was observed without them.
  void Add(const Hash128& key, uint32_t delta);
  // Takes over what a list has staged in `other`, which is empty then.
  void Absorb(RecentEvents& other, WallTime now);

  struct View {
    std::vector<RecentEvent> events;  // newest first
    // Others of the last hour were left out for want of room.
    bool more = false;
    // A whole list was absorbed, so that nothing of the hour is missing that
    // the API server still had.
    bool listed = false;
  };
  View Newest(WallTime now) const;

 private:
  using Index = uint16_t;
  static constexpr Index kNone = UINT16_MAX;
  static constexpr size_t kBuckets = 1024;

  struct Minute {
    uint32_t minute;  // since 1970
    uint32_t occurrences;
  };
  struct Slot {
    Hash128 key;
    RecentEvent event;
    std::vector<Minute> minutes;  // of the new occurrences, at most an hour's
    WallTime known_from;          // since then every occurrence is in `minutes`
    bool warning = false;
    Index chain = kNone;  // next of the same bucket, or next that is free
    Index older = kNone;
    Index newer = kNone;
  };
  // Slots by time of occurrence.
  struct Line {
    Index oldest = kNone;
    Index newest = kNone;
  };

  Index& Bucket(const Hash128& key) { return buckets_[key.low % kBuckets]; }
  Index Find(const Hash128& key) const;
  // A slot for a key that has none; kNone when it must stay out.
  Index Insert(const Hash128& key, bool warning, WallTime occurred_at);
  void Erase(Index index);
  void Enlist(Index index);
  void Unlist(Index index);
  static void Append(Slot& slot, Minute added);
  void DropExpired(WallTime now);

  std::vector<Slot> slots_;
  std::array<Index, kBuckets> buckets_;
  std::array<Line, 2> lines_;  // of the others, of Warnings
  Index free_ = kNone;
  bool listed_ = false;
  // The newest occurrence that there was no room for.
  WallTime left_out_;
};

}  // namespace kem

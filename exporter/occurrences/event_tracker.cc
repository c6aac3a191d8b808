#include "occurrences/event_tracker.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"

namespace kem {
namespace {

constexpr size_t kFirstSlots = 1024;

uint32_t Seconds(SteadyTime now) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch())
          .count());
}

// What a saved record is.
enum : uint8_t { kFree, kLive, kTombstone };

}  // namespace

EventTracker::EventTracker(Limits limits)
    : limits_(limits), table_(kFirstSlots) {}

// It is the same Event by its uid, or by its identity time, which survives
// expiry and re-creation (k8s.io/client-go tools/record/event.go recreates it
// under the same name with the old firstTimestamp). A lower count with a newer
// time is a writer that restarted.
void EventTracker::Compare(const Record& record, const Sighting& sighting,
                           Change& change) const {
  if (record.uid != sighting.uid &&
      record.identity_time != sighting.identity_time) {
    return CountUnknown(sighting, change);
  }
  if (sighting.count > record.count) {
    change.delta = sighting.count - record.count;
  } else if (sighting.count < record.count &&
             sighting.occurred_at > record.occurred_at) {
    change.delta = 1;
    change.at_least = sighting.count > 1;
  }
}

void EventTracker::CountUnknown(const Sighting& sighting,
                                Change& change) const {
  const bool since_horizon =
      !sighting.undated && sighting.identity_time >= horizon_;
  change.delta = since_horizon ? sighting.count : 1;
  change.at_least = change.delta < sighting.count;
}

uint32_t EventTracker::Preview(const Sighting& sighting) const {
  Change change;
  const uint32_t index = table_.Find(sighting.key, KeyOf());
  if (index == kNone) {
    CountUnknown(sighting, change);
  } else if (sighting.resource_version > At(index).resource_version) {
    Compare(At(index), sighting, change);
  }
  return change.delta;
}

Change EventTracker::Observe(const Sighting& sighting, const Moment& now) {
  Change change;
  uint32_t index = table_.Find(sighting.key, KeyOf());
  if (index == kNone) {
    CountUnknown(sighting, change);
    index = Insert(sighting.key);
    ++live_;
    Store(index, sighting);
    change.shown = true;
    return change;
  }
  const Record& record = At(index);
  if (sighting.resource_version <= record.resource_version) {
    change.replay = true;
    if (!record.tombstone) Unsaved(index).listed_in = list_number_;
    if (!record.tombstone &&
        sighting.resource_version == record.resource_version) {
      // The series may have changed, for example by a new filter.
      change.shown = true;
      change.left = record.series;
      if (record.series != sighting.series) {
        Edit(index).series = sighting.series;
      }
    }
    return change;
  }
  Compare(record, sighting, change);
  change.shown = true;
  if (record.tombstone) {
    Unlink(index);
    ++live_;
  } else {
    change.left = record.series;
  }
  Store(index, sighting);
  EvictTombstones(now);
  return change;
}

Change EventTracker::Remove(const Sighting& sighting, const Moment& now) {
  Change change;
  uint32_t index = table_.Find(sighting.key, KeyOf());
  if (index == kNone) {
    // Never seen alive, but its writer may write it again.
    index = Insert(sighting.key);
    ++live_;
    Store(index, sighting);
  } else {
    const Record& record = At(index);
    if (sighting.resource_version <= record.resource_version) {
      change.replay = true;
      return change;
    }
    Edit(index).resource_version = sighting.resource_version;
    if (record.tombstone) return change;
    change.left = record.series;
  }
  Bury(index, now.steady);
  EvictTombstones(now);
  return change;
}

void EventTracker::Replace(const std::deque<Sighting>& sightings, bool baseline,
                           WallTime server_time, const Moment& now,
                           const OnChange& on_change, const OnGone& on_gone) {
  ++list_number_;
  // A server's clock that was ahead may have raised it.
  LimitHorizon(now.wall + kMaxAhead);
  if (baseline) {
    horizon_ = std::max(horizon_, LimitAhead(server_time, now.wall));
    // Versions of a new epoch do not compare with those of the last one.
    for (uint32_t i = 0; i < used_; ++i) Edit(i).resource_version = 0;
  }
  for (const Sighting& sighting : sightings) {
    Change change = Observe(sighting, now);
    if (baseline || sighting.unwatched) {
      change.delta = 0;
      change.at_least = false;
    }
    on_change(sighting, change);
  }
  for (uint32_t i = 0; i < used_; ++i) {
    const Record& record = At(i);
    if (record.tombstone || record.listed_in == list_number_) continue;
    on_gone(record.series);
    Bury(i, now.steady);
  }
  EvictTombstones(now);
}

void EventTracker::Store(uint32_t index, const Sighting& sighting) {
  Record& record = Edit(index);
  record.uid = sighting.uid;
  record.resource_version = sighting.resource_version;
  record.identity_time = sighting.identity_time;
  record.occurred_at = sighting.occurred_at;
  record.count = std::max(sighting.count & 0x7fffffffU, 1U) & 0x7fffffffU;
  record.tombstone = 0;
  record.listed_in = list_number_;
  std::construct_at(&record.series, sighting.series);
}

void EventTracker::Bury(uint32_t index, SteadyTime now) {
  Record& record = Edit(index);
  record.tombstone = 1;
  record.gone_at = Seconds(now);
  --live_;
  Link(index);
}

// Makes the record the newest tombstone.
void EventTracker::Link(uint32_t index) {
  std::construct_at(&Edit(index).links, Links{newest_, kNone});
  (newest_ == kNone ? oldest_ : Edit(newest_).links.newer) = index;
  newest_ = index;
  ++tombstones_;
}

void EventTracker::Unlink(uint32_t index) {
  const auto [older, newer] = At(index).links;
  (older == kNone ? oldest_ : Edit(older).links.newer) = newer;
  (newer == kNone ? newest_ : Unsaved(newer).links.older) = older;
  --tombstones_;
}

void EventTracker::EvictTombstones(const Moment& now) {
  while (tombstones_ > limits_.min_keys) {
    const Record& oldest = At(oldest_);
    const auto age = std::chrono::seconds(Seconds(now.steady) - oldest.gone_at);
    if (age <= limits_.min_age && tombstones_ <= limits_.max_keys) return;
    // A forgotten Event can return with a count that was counted already, so
    // only Events that begin later may count in full. One whose times are in
    // the future does not need that: it counts 1 as long as they are.
    const WallTime latest = LimitAhead(
        std::max(oldest.identity_time, oldest.occurred_at), now.wall);
    horizon_ = std::max(horizon_, latest + std::chrono::microseconds(1));
    const uint32_t index = oldest_;
    Unlink(index);
    Erase(index);
  }
}

uint32_t EventTracker::Insert(const Hash128& key) {
  const bool append = free_ == kNone;
  const uint32_t index = append ? Append() : free_;
  if (!append) free_ = At(index).links.older;
  Edit(index).key = key;
  table_.Insert(index, KeyOf());
  return index;
}

uint32_t EventTracker::Append() {
  if (used_ % kBlockRecords == 0) {
    blocks_.push_back(std::make_unique_for_overwrite<Record[]>(kBlockRecords));
  }
  return used_++;
}

void EventTracker::Erase(uint32_t index) {
  table_.Erase(index, KeyOf());
  Record& record = Edit(index);
  record.tombstone = 1;
  record.count = 0;
  std::construct_at(&record.links, Links{free_, kNone});
  free_ = index;
}

// The records in their places, because the order in which free ones are used
// and tombstones are evicted must be the same after a restart: the state's
// journal is replayed on this.
void EventTracker::BeginSave(ByteWriter& head) {
  head.Time(horizon_);
  head.Integer<uint32_t>(used_);
  head.Integer<uint32_t>(free_);
  head.Integer<uint32_t>(live_);
  head.Integer<uint32_t>(tombstones_);
  head.Integer<uint32_t>(oldest_);
  head.Integer<uint32_t>(newest_);
  saving_.Begin(used_);
}

bool EventTracker::SavePiece(size_t size, std::string& out) {
  ByteWriter to(out);
  return saving_.Advance([&] { return out.size() < size; },
                         [&](const Record& kept) { SaveRecord(kept, to); },
                         [&](uint32_t index) { SaveRecord(At(index), to); });
}

void EventTracker::SaveRecord(const Record& record, ByteWriter& to) {
  if (IsFree(record)) {
    to.Integer<uint8_t>(kFree);
    to.Integer<uint32_t>(record.links.older);
    return;
  }
  to.Integer<uint8_t>(record.tombstone ? kTombstone : kLive);
  to.Integer<uint64_t>(record.key.low);
  to.Integer<uint64_t>(record.key.high);
  to.Integer<uint64_t>(record.uid);
  to.Integer<uint64_t>(record.resource_version);
  to.Time(record.identity_time);
  to.Time(record.occurred_at);
  to.Integer<uint32_t>(record.count);
  to.Integer<uint32_t>(record.tombstone ? record.gone_at : record.series.tuple);
  to.Integer<uint32_t>(record.tombstone ? record.links.newer
                                        : record.series.object);
}

bool EventTracker::LoadHead(ByteReader& head) {
  horizon_ = head.Wall();
  to_load_ = head.Integer<uint32_t>();
  free_ = head.Integer<uint32_t>();
  live_ = head.Integer<uint32_t>();
  tombstones_ = head.Integer<uint32_t>();
  oldest_ = head.Integer<uint32_t>();
  newest_ = head.Integer<uint32_t>();
  return head.ok();
}

bool EventTracker::LoadPiece(ByteReader& piece,
                             const std::function<bool(SeriesIds)>& on_live) {
  while (piece.ok() && piece.left() > 0) {
    if (used_ == to_load_) return false;
    const uint32_t index = Append();
    Record& record = Unsaved(index);
    if (!LoadRecord(piece, record)) return false;
    if (IsFree(record)) continue;
    if (table_.Find(record.key, KeyOf()) != kNone) return false;
    table_.Insert(index, KeyOf());
    if (!record.tombstone && !on_live(record.series)) return false;
  }
  return piece.ok();
}

bool EventTracker::LoadRecord(ByteReader& from, Record& record) {
  record = Record{};
  const auto kind = from.Integer<uint8_t>();
  record.tombstone = kind != kLive;
  if (kind == kFree) {
    std::construct_at(&record.links, Links{from.Integer<uint32_t>(), kNone});
    return from.ok();
  }
  record.key.low = from.Integer<uint64_t>();
  record.key.high = from.Integer<uint64_t>();
  record.uid = from.Integer<uint64_t>();
  record.resource_version = from.Integer<uint64_t>();
  record.identity_time = from.Wall();
  record.occurred_at = from.Wall();
  record.count = from.Integer<uint32_t>() & 0x7fffffffU;
  const auto first = from.Integer<uint32_t>();
  const auto second = from.Integer<uint32_t>();
  if (kind == kTombstone) {
    record.gone_at = first;
    std::construct_at(&record.links, Links{kNone, second});
  } else {
    record.listed_in = list_number_;
    std::construct_at(&record.series, SeriesIds{first, second});
  }
  return from.ok() && kind <= kTombstone && record.count > 0;
}

// Checks that the lists of free records and of tombstones have each once.
bool EventTracker::FinishLoad() {
  if (used_ != to_load_ || live_ > used_ || tombstones_ > used_ - live_) {
    return false;
  }
  uint32_t live = 0;
  for (uint32_t i = 0; i < used_; ++i) live += At(i).tombstone ? 0 : 1;
  uint32_t left = used_ - live_ - tombstones_;
  uint32_t index = free_;
  for (; index < used_ && IsFree(At(index)) && left > 0; --left) {
    index = At(index).links.older;
  }
  if (live != live_ || left > 0 || index != kNone) return false;
  uint32_t older = kNone;
  left = tombstones_;
  for (index = oldest_; index < used_ && left > 0; --left) {
    const Record& record = At(index);
    if (!record.tombstone || IsFree(record)) return false;
    Unsaved(index).links.older = older;
    older = std::exchange(index, record.links.newer);
  }
  return left == 0 && index == kNone && older == newest_;
}

void EventTracker::Shift(std::chrono::nanoseconds shift) {
  // Unsigned, so that seconds wrap around on a machine that booted after the
  // one before.
  const auto seconds = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(shift).count());
  for (uint32_t i = 0; i < used_; ++i) {
    if (At(i).tombstone && !IsFree(At(i))) Edit(i).gone_at += seconds;
  }
}

void EventTracker::ForEachLive(const OnGone& visit) const {
  for (uint32_t i = 0; i < used_; ++i) {
    const Record& record = At(i);
    if (record.tombstone) continue;
    visit(record.series);
  }
}

}  // namespace kem

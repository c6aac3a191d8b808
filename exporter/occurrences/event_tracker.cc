#include "occurrences/event_tracker.h"

#include <algorithm>

#include "base/bytes.h"

namespace kem {
namespace {

constexpr size_t kFirstSlots = 1024;

uint32_t Seconds(SteadyTime now) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch())
          .count());
}

// A saved record: key, uid, resourceVersion, two times, count; then two series
// or, for a tombstone, its second.
constexpr size_t kRecordBytes = 16 + 8 + 8 + 8 + 8 + 4;
constexpr size_t kLiveBytes = kRecordBytes + 8;
constexpr size_t kTombstoneBytes = kRecordBytes + 4;

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
    Store(At(index), sighting);
    change.shown = true;
    return change;
  }
  Record& record = At(index);
  if (sighting.resource_version <= record.resource_version) {
    change.replay = true;
    if (!record.tombstone) record.listed_in = list_number_;
    if (!record.tombstone &&
        sighting.resource_version == record.resource_version) {
      // The series may have changed, for example by a new filter.
      change.shown = true;
      change.left = record.series;
      record.series = sighting.series;
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
  Store(record, sighting);
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
    Store(At(index), sighting);
  } else {
    Record& record = At(index);
    if (sighting.resource_version <= record.resource_version) {
      change.replay = true;
      return change;
    }
    record.resource_version = sighting.resource_version;
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
    for (uint32_t i = 0; i < used_; ++i) At(i).resource_version = 0;
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
    Record& record = At(i);
    if (record.tombstone || record.listed_in == list_number_) continue;
    on_gone(record.series);
    Bury(i, now.steady);
  }
  EvictTombstones(now);
}

void EventTracker::Store(Record& record, const Sighting& sighting) {
  record.uid = sighting.uid;
  record.resource_version = sighting.resource_version;
  record.identity_time = sighting.identity_time;
  record.occurred_at = sighting.occurred_at;
  record.count = sighting.count & 0x7fffffffU;
  record.tombstone = 0;
  record.listed_in = list_number_;
  std::construct_at(&record.series, sighting.series);
}

void EventTracker::Bury(uint32_t index, SteadyTime now) {
  Record& record = At(index);
  record.tombstone = 1;
  record.gone_at = Seconds(now);
  --live_;
  Link(index);
}

// Makes the record the newest tombstone.
void EventTracker::Link(uint32_t index) {
  std::construct_at(&At(index).links, Links{newest_, kNone});
  (newest_ == kNone ? oldest_ : At(newest_).links.newer) = index;
  newest_ = index;
  ++tombstones_;
}

void EventTracker::Unlink(uint32_t index) {
  const auto [older, newer] = At(index).links;
  (older == kNone ? oldest_ : At(older).links.newer) = newer;
  (newer == kNone ? newest_ : At(newer).links.older) = older;
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
  uint32_t index;
  if (free_.empty()) {
    if (used_ % kBlockRecords == 0) {
      blocks_.push_back(
          std::make_unique_for_overwrite<Record[]>(kBlockRecords));
    }
    index = used_++;
  } else {
    index = free_.back();
    free_.pop_back();
  }
  At(index).key = key;
  table_.Insert(index, KeyOf());
  return index;
}

void EventTracker::Erase(uint32_t index) {
  table_.Erase(index, KeyOf());
  free_.push_back(index);
  At(index).tombstone = 1;
}

// Live Events, then tombstones, the oldest first.
void EventTracker::Save(std::string& out) const {
  ByteWriter to(out);
  to.Time(horizon_);
  to.Integer<uint32_t>(live_);
  to.Integer<uint32_t>(tombstones_);
  const auto save = [&to](const Record& record) {
    to.Integer<uint64_t>(record.key.low);
    to.Integer<uint64_t>(record.key.high);
    to.Integer<uint64_t>(record.uid);
    to.Integer<uint64_t>(record.resource_version);
    to.Time(record.identity_time);
    to.Time(record.occurred_at);
    to.Integer<uint32_t>(record.count);
  };
  for (uint32_t i = 0; i < used_; ++i) {
    const Record& record = At(i);
    if (record.tombstone) continue;
    save(record);
    to.Integer<uint32_t>(record.series.tuple);
    to.Integer<uint32_t>(record.series.object);
  }
  for (uint32_t i = oldest_; i != kNone; i = At(i).links.newer) {
    save(At(i));
    to.Integer<uint32_t>(At(i).gone_at);
  }
}

bool EventTracker::Load(std::string_view bytes, std::chrono::nanoseconds shift,
                        const std::function<bool(SeriesIds)>& on_live) {
  ByteReader from(bytes);
  horizon_ = from.Wall();
  const auto live = from.Integer<uint32_t>();
  const auto tombstones = from.Integer<uint32_t>();
  if (from.left() !=
      size_t{live} * kLiveBytes + size_t{tombstones} * kTombstoneBytes) {
    return false;
  }
  // Unsigned, so that seconds wrap around on a machine that booted after the
  // one that saved.
  const auto shift_seconds = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(shift).count());
  for (uint32_t i = 0; i < live + tombstones; ++i) {
    Hash128 key;
    key.low = from.Integer<uint64_t>();
    key.high = from.Integer<uint64_t>();
    if (table_.Find(key, KeyOf()) != kNone) return false;
    const uint32_t index = Insert(key);
    Record& record = At(index);
    record.uid = from.Integer<uint64_t>();
    record.resource_version = from.Integer<uint64_t>();
    record.identity_time = from.Wall();
    record.occurred_at = from.Wall();
    record.count = from.Integer<uint32_t>() & 0x7fffffffU;
    record.tombstone = i >= live;
    if (record.tombstone) {
      record.gone_at = from.Integer<uint32_t>() + shift_seconds;
      Link(index);
      continue;
    }
    record.listed_in = list_number_;
    SeriesIds series;
    series.tuple = from.Integer<uint32_t>();
    series.object = from.Integer<uint32_t>();
    std::construct_at(&record.series, series);
    ++live_;
    if (!on_live(record.series)) return false;
  }
  return from.Done();
}

void EventTracker::ForEachLive(const OnGone& visit) const {
  for (uint32_t i = 0; i < used_; ++i) {
    const Record& record = At(i);
    if (record.tombstone) continue;
    visit(record.series);
  }
}

}  // namespace kem

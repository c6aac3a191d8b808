// The tracker as bytes: live Events, then tombstones, the oldest first.
#include "base/bytes.h"
#include "occurrences/event_tracker.h"

namespace kem {
namespace {

// key, uid, resourceVersion, two times, count; then two series or, for a
// tombstone, its second.
constexpr size_t kRecordBytes = 16 + 8 + 8 + 8 + 8 + 4;
constexpr size_t kLiveBytes = kRecordBytes + 8;
constexpr size_t kTombstoneBytes = kRecordBytes + 4;

}  // namespace

void EventTracker::Save(std::string& out) const {
  ByteWriter to(out);
  to.Integer<int64_t>(horizon_.time_since_epoch().count());
  to.Integer<uint32_t>(live_);
  to.Integer<uint32_t>(tombstones_);
  const auto save = [&to](const Record& record) {
    to.Integer<uint64_t>(record.key.low);
    to.Integer<uint64_t>(record.key.high);
    to.Integer<uint64_t>(record.uid);
    to.Integer<uint64_t>(record.resource_version);
    to.Integer<int64_t>(record.identity_time.time_since_epoch().count());
    to.Integer<int64_t>(record.occurred_at.time_since_epoch().count());
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
  horizon_ = WallTime(std::chrono::microseconds(from.Integer<int64_t>()));
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
    record.identity_time =
        WallTime(std::chrono::microseconds(from.Integer<int64_t>()));
    record.occurred_at =
        WallTime(std::chrono::microseconds(from.Integer<int64_t>()));
    record.count = from.Integer<uint32_t>() & 0x7fffffffU;
    record.tombstone = i >= live;
    if (record.tombstone) {
      record.gone_at = from.Integer<uint32_t>() + shift_seconds;
      Link(index);
      continue;
    }
    record.listed_in = list_number_;
    record.series.tuple = from.Integer<uint32_t>();
    record.series.object = from.Integer<uint32_t>();
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

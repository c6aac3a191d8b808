// Remembers every Event that the API server has, with its count, so that a
// later sight of it gives exactly the new occurrences: the delta function. Also
// remembers Events that are gone (tombstones), because recorders write an
// expired Event again under its name with the count so far. Used by the ledger,
// one tracker for each reflector. Of labels it keeps only the caller's numbers.
//
// Not thread-safe: the ledger's mutex guards it. Nothing here fails.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/piecewise_save.h"
#include "base/probing_table.h"
#include "occurrences/sighting.h"

namespace kem {

class EventTracker {
 public:
  struct Limits {
    // The oldest tombstone is evicted while there are more than max_keys, or
    // more than min_keys and it is older than min_age. Each takes 64 bytes.
    std::chrono::seconds min_age = std::chrono::hours(24);
    uint32_t min_keys = 100'000;
    uint32_t max_keys = 1'000'000;
  };

  explicit EventTracker(Limits limits);
  EventTracker() : EventTracker(Limits()) {}

  // The Event exists. `now` ages tombstones and limits the horizon, here and
  // below.
  Change Observe(const Sighting& sighting, const Moment& now);

  // The delta that Observe would return.
  uint32_t Preview(const Sighting& sighting) const;

  // The Event is gone. Never an occurrence.
  Change Remove(const Sighting& sighting, const Moment& now);

  // `sightings` are all Events that exist; all others are gone. A baseline (the
  // first list, also after the resourceVersion went back) counts nothing. Calls
  // on_change for each sighting, and on_gone with the series of each Event that
  // is gone.
  using OnChange = std::function<void(const Sighting&, const Change&)>;
  using OnGone = std::function<void(SeriesIds)>;
  void Replace(const std::deque<Sighting>& sightings, bool baseline,
               WallTime server_time, const Moment& now,
               const OnChange& on_change, const OnGone& on_gone);

  // Saves all but the limits, as it is at BeginSave, while it changes: a head,
  // and pieces until `out` has `size` bytes; false after the last one. EndSave
  // adds what was kept to `left`. After save_gave_up() too much had changed.
  void BeginSave(ByteWriter& head);
  bool SavePiece(size_t size, std::string& out);
  void EndSave(Leftovers& left) { saving_.End(left); }
  bool save_gave_up() const { return saving_.gave_up(); }
  // Loads it, in the same order, into a new tracker. `on_live` gets the series
  // of each Event that exists. When it or the result is false: unusable.
  bool LoadHead(ByteReader& head);
  bool LoadPiece(ByteReader& piece,
                 const std::function<bool(SeriesIds)>& on_live);
  bool FinishLoad();
  // Moves the times of the steady clock after a restart, by whole seconds.
  void Shift(std::chrono::nanoseconds shift);
  // Lowers the horizon to `latest`, because a saved one can be absurd.
  void LimitHorizon(WallTime latest) { horizon_ = std::min(horizon_, latest); }
  // Calls `visit` with the series of each Event that exists.
  void ForEachLive(const OnGone& visit) const;

  uint32_t live() const { return live_; }
  uint32_t tombstones() const { return tombstones_; }
  // An unknown Event that began before this may be an old one written again,
  // and counts 1. One that began at or after it counts in full. Writers use
  // whole seconds or microseconds, so the horizon is a microsecond after an
  // evicted Event: another Event of the same second may count too little, but
  // none counts twice.
  WallTime horizon() const { return horizon_; }

 private:
  // Neighbours in the list of tombstones by age.
  struct Links {
    uint32_t older;
    uint32_t newer;
  };
  // An Event that exists, or a tombstone: `tombstone` selects the members of
  // the unions, and std::construct_at makes it the active one. A free record is
  // a tombstone with the count 0, and links.older is the next free one.
  struct Record {
    Hash128 key;
    uint64_t uid;
    uint64_t resource_version;
    WallTime identity_time;
    WallTime occurred_at;
    uint32_t count : 31;
    uint32_t tombstone : 1;
    union {
      uint32_t listed_in;  // the number of the last list that had the Event
      uint32_t gone_at;    // a tombstone's second of the steady clock
    };
    union {
      SeriesIds series = {};
      Links links;  // of a tombstone
    };
  };
  static_assert(sizeof(Record) == 64);
  static constexpr uint32_t kBlockRecords = 4096;
  static constexpr uint32_t kNone = ProbingTable::kNone;

  // 65,536 records, 7 MB.
  static constexpr size_t kMaxKept = size_t{1} << 16;

  const Record& At(uint32_t index) const {
    return blocks_[index / kBlockRecords][index % kBlockRecords];
  }
  // For changes of what is not saved: listed_in and links.older.
  Record& Unsaved(uint32_t index) {
    return blocks_[index / kBlockRecords][index % kBlockRecords];
  }
  // For all other changes.
  Record& Edit(uint32_t index) {
    saving_.BeforeChange(index, [&] { return At(index); });
    return Unsaved(index);
  }
  static bool IsFree(const Record& r) { return r.tombstone && r.count == 0; }
  static void SaveRecord(const Record& record, ByteWriter& to);
  bool LoadRecord(ByteReader& from, Record& record);
  uint32_t Append();
  auto KeyOf() const {
    return [this](uint32_t index) -> const Hash128& { return At(index).key; };
  }
  uint32_t Insert(const Hash128& key);
  void Erase(uint32_t index);
  void Store(uint32_t index, const Sighting& sighting);
  void Link(uint32_t index);
  void Unlink(uint32_t index);
  // Set delta and at_least: of a known key, and of an unknown past.
  void Compare(const Record& record, const Sighting& sighting,
               Change& change) const;
  void CountUnknown(const Sighting& sighting, Change& change) const;
  void Bury(uint32_t index, SteadyTime now);
  void EvictTombstones(const Moment& now);

  Limits limits_;
  // In blocks, so that growing copies only the table.
  std::vector<std::unique_ptr<Record[]>> blocks_;
  uint32_t free_ = kNone;  // the last one freed
  uint32_t used_ = 0;
  ProbingTable table_;
  uint32_t live_ = 0;
  uint32_t tombstones_ = 0;
  uint32_t oldest_ = kNone;
  uint32_t newest_ = kNone;
  uint32_t list_number_ = 0;
  WallTime horizon_;
  PiecewiseSave<Record> saving_{kMaxKept};
  uint32_t to_load_ = 0;  // records that the head announced
};

}  // namespace kem

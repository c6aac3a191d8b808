// Everything that was counted and that counting goes on from: the series, the
// outbox, and for each watched collection a tracker and a resume point. Every
// change is one of the calls below, a step, so that it can be logged and
// replayed after a restart. Used by the pipelines, which decide what an Event
// is about, and by scrapes, which read the series. No JSON, scopes or files
// here.
//
// Not thread-safe: every call needs mutex(), unless only one thread has the
// ledger. Nothing here fails.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "base/piecewise_save.h"
#include "occurrences/delivery_mark.h"
#include "occurrences/event_tracker.h"
#include "occurrences/outbox.h"
#include "reflector/object_handler.h"
#include "reflector/resume_point.h"
#include "series/series_table.h"

namespace kem {

class ByteReader;
class LedgerLog;

class Ledger {
 public:
  // Which Events a list let through, as texts to compare.
  struct Choice {
    std::string selector;  // the API server's part
    std::string filter;    // all of it
    bool operator==(const Choice&) const = default;
  };

  // What is remembered of one watched collection.
  struct Collection {
    std::string name;
    uint16_t number = 0;
    EventTracker tracker;
    ResumePoint point;
    bool has_baseline = false;
    Choice choice;  // of the last list
    // Until when it was in contact; used after a restart.
    SteadyTime whole_until;
    // In this process it had a baseline, so that older versions may be of
    // another epoch. Not kept.
    bool restarted = false;
  };

  Ledger(const SeriesOptions& options, const Hasher& hash);
  ~Ledger();

  std::mutex& mutex() { return mutex_; }

  // For all keys that are put in.
  const Hasher& hash() const { return hash_; }

  // The collection of this name, added when it is new; at most 65,535. Valid
  // until Resume.
  Collection& FindCollection(const std::string& name);
  // Null when no collection has this number.
  Collection* CollectionAt(uint16_t number);

  // The steps. Each is logged while there is a log.

  // A restart: what was loaded goes on with these options and these collections
  // only. The Events of others leave their series, whose counters stay. `shift`
  // moves the times of the steady clock from the earlier process's to this
  // one's.
  void Resume(const SeriesOptions& options,
              const std::vector<std::string>& names,
              std::chrono::nanoseconds shift, const Moment& now);
  // That shift, by the wall clock since the last step.
  std::chrono::nanoseconds ShiftUntil(const Moment& now) const;
  // The next list of the collection is a baseline.
  void ForgetBaseline(Collection& collection);

  // The series of these labels; exposed once an Event is in it.
  SeriesIds Intern(const SeriesLabels& labels);
  // See SeriesTable. Note is no step: nothing depends on it.
  void Preset(const SeriesLabels& labels, const Moment& now);
  void Expire(const Moment& now);
  void Note(SeriesIds ids, std::string_view event_namespace,
            std::string_view event_name, WallTime occurred_at) {
    series_->Note(ids, event_namespace, event_name, occurred_at);
  }

  // A watch event: ADDED or MODIFIED, DELETED, and BOOKMARK.
  Change Observe(Collection& collection, const Sighting& sighting,
                 const Moment& now);
  Change Remove(Collection& collection, const Sighting& sighting,
                const Moment& now);
  void Progress(Collection& collection, uint64_t resource_version,
                const Moment& now);
  // The watch was in contact at `now`, on this process's steady clock.
  void NoteContact(Collection& collection, SteadyTime now);

  // A whole list, of what `choice` lets through. Calls on_change for each
  // sighting.
  void Commit(
      Collection& collection, const std::deque<Sighting>& sightings,
      const ListCommit& commit, const Choice& choice, const Moment& now,
      const EventTracker::OnChange& on_change = [](const Sighting&,
                                                   const Change&) {});

  // See Outbox. Drop and PutBack are no steps: counters of drops start at 0
  // with the process. Peek is none either: what was peeked at waits again after
  // a restart.
  Leftovers SetSinks(const std::vector<Outbox::Sink>& sinks);
  void Offer(uint32_t mask, const OutboxEntryPtr& occurrence);
  void Acknowledge(size_t sink, uint64_t number);
  bool CloseWindow(size_t sink);
  bool Remember(size_t sink, std::string_view name, std::string_view text);
  const Outbox& outbox() const { return outbox_; }
  void Drop(uint32_t mask) { outbox_.Drop(mask, 1); }
  Outbox::Entries Peek(size_t sink, size_t max_entries, size_t max_bytes) {
    return outbox_.Peek(sink, max_entries, max_bytes);
  }
  void PutBack(size_t sink) { outbox_.PutBack(sink); }
  // Without the versions that a watch cannot have reached since its last
  // baseline: they are of the epoch before, and say nothing about this one.
  DeliveryMark Reached(DeliveryMark mark) const;

  const SeriesTable& series() const { return *series_; }
  // Whether these are series of this ledger, or none.
  bool Knows(SeriesIds ids) const {
    return ids == SeriesIds() || series_->Has(ids);
  }
  // Occurrences of Events that their recorder combined.
  uint64_t combined() const { return combined_; }
  // Occurrences of Events without series.
  uint64_t filtered() const { return filtered_; }

  // Starts to log steps; `wake` is called when there are many. log() is null
  // without.
  void StartLog(std::function<void()> wake);
  void StopLog();
  LedgerLog* log() { return log_.get(); }

  // Saves everything, the secret of the hash included, exactly as it is at
  // BeginSave, however many steps follow before the last piece: the parts keep
  // the old value of what changes before it is saved. So what is loaded is the
  // state of that moment, and the steps logged since continue it. The same
  // steps lead to the same bytes.
  //
  // BeginSave returns the head. SavePiece replaces `piece` by the next one, of
  // at least `size` bytes if there are as many of its kind; empty at the end.
  // EndSave returns what was kept, to be destroyed without the mutex. After
  // save_gave_up() too much had changed, and what was saved is of no use. Each
  // call takes time for its piece, not for the state.
  std::string BeginSave();
  void SavePiece(size_t size, std::string& piece);
  [[nodiscard]] Leftovers EndSave();
  bool save_gave_up() const;

  // Loads it: the head, the pieces in their order, the end. Keeps the options
  // of the process that saved until Resume, because its steps must find the
  // same room. Null or false for any other bytes; the ledger is then unusable.
  static std::unique_ptr<Ledger> Load(std::string_view head);
  bool LoadPiece(std::string_view piece);
  bool FinishLoad();

 private:
  void Count(const Sighting& sighting, const Change& change, const Moment& now);
  void Leave(SeriesIds ids);
  void KeepCollections(const std::vector<std::string>& names);
  // Lowers horizons and times of occurrences: a clock that was ahead when they
  // were saved must not decide about what follows.
  void LimitTimes(WallTime latest);
  void LoadCollection(ByteReader& head);

  std::mutex mutex_;
  SeriesOptions options_;
  Hasher hash_;
  std::optional<SeriesTable> series_;  // never empty
  std::vector<std::unique_ptr<Collection>> collections_;
  Outbox outbox_;
  uint64_t combined_ = 0;
  uint64_t filtered_ = 0;
  Moment latest_;         // of the last step that has one
  size_t save_part_ = 0;  // the series, the outbox, then the collections
  std::unique_ptr<LedgerLog> log_;
};

}  // namespace kem

// Keeps a ledger on disk, so that the next process continues however this one
// ends: a snapshot, and a journal of the steps since. The journal is brought up
// to date before a scrape exposes what those steps counted, so no counter is
// ever seen to fall; it is synced by the clock. A new snapshot is written when
// the journal has outgrown the last one. One thread does all of this; a slow
// disk never delays a watch. Used by KeptState, which runs the thread.
//
// Every call to the file system may fail at any time. The digests of
// state_files.h keep what is read later free of holes; the states below decide
// what is worth writing, and when a new snapshot is needed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "state/ledger.h"
#include "state/snapshot_file.h"
#include "state/state_files.h"
#include "state/state_load.h"

namespace kem {

struct StateOptions {
  std::string path;
  std::string origin;
  // Between two syncs of the journal: what a power cut may take.
  std::chrono::milliseconds interval{10'000};
};

class StateStore {
 public:
  // Keeps `loaded`'s ledger, whose steps it logs from now on. All must outlive
  // this.
  StateStore(StateOptions options, const LoadedState& loaded, FileSystem& files,
             Clock& clock, StateStats& stats);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  // These block for as long as the disk does. They are for one thread.

  // Continues the files that were loaded with a new journal, or else writes a
  // snapshot. On return what was logged survives the process, if it can.
  // `before_save` is called before each sync and snapshot, under the ledger's
  // mutex.
  void Start(std::function<void()> before_save);
  // Appends the steps until now to the journal, where they survive the end of
  // the process.
  void Flush();
  // Does what is due: syncs the journal when the interval has passed, begins a
  // snapshot, or writes a piece of one. True while there is more of that.
  bool Tick();
  // Writes a whole snapshot, unless nothing happened since the last one. After
  // a failure, which is counted and logged once, what is on the disk stays.
  void Save();
  // The body of the thread: Flush and Tick, and a Save after `stop`.
  void Run(const std::stop_token& stop);

  // Waits until Run has flushed what was counted by now, at most `patience`,
  // and not at all while an earlier flush exceeds its patience. Thread-safe.
  void AwaitFlush(std::chrono::milliseconds patience);

 private:
  enum class JournalState {
    // Steps are missing from the disk, and only a snapshot helps. There is no
    // journal.
    kLost,
    // The journal continues the snapshot that is being written, not the files
    // that are on the disk.
    kAhead,
    // The files lead to the present, but a sync failed: a power cut may take
    // any part. Only a snapshot helps.
    kUncertain,
    // The files lead to the present, apart from what a flush will write.
    kWhole,
  };
  enum class SnapshotState {
    kNone,
    kDue,       // not before retry_at_
    kWriting,   // its pieces
    kSettling,  // all is written, but not yet by the disk
  };

  void ServeFlushes();

  // The journal.
  bool TakeSteps(std::string& steps);
  Result<void> AppendPending();
  bool CloseJournal();
  void LoseJournal();
  void Sync();
  void Mark();

  // The snapshot.
  void BeginSnapshot();
  Result<void> OpenFiles(bool closed, std::string_view head);
  Result<void> OpenJournal(uint64_t digest);
  void AdvanceSnapshot();
  Result<void> WritePiece();
  Result<void> AppendPiece(std::string_view piece);
  void FinishSnapshot();
  void FailSnapshot(const Error& error);

  void NoteSuccess();
  void NoteFailure(const Error& error);

  const StateOptions options_;
  Ledger& ledger_;
  FileSystem& files_;
  Clock& clock_;
  StateStats& stats_;
  std::function<void()> before_save_ = [] {};
  const std::string read_only_;
  std::vector<std::string> base_;  // files that a new journal can continue

  JournalState journal_state_ = JournalState::kLost;
  std::optional<BatchWriter> journal_;  // none in kLost
  uint64_t number_;                     // of the newest journal
  uint64_t digest_;                     // of the last steps in a journal
  // Steps that were taken from the ledger and are in no journal yet.
  std::string pending_;
  bool named_ = false;          // the journal's name is durable
  std::optional<bool> marked_;  // MarkerPath exists; none: unknown
  bool unsynced_ = false;       // something was appended since the last sync
  SteadyTime synced_at_;

  SnapshotState snapshot_state_ = SnapshotState::kDue;
  std::optional<SnapshotFile> snapshot_;
  uint64_t snapshot_bytes_ = 0;           // of the last one
  SteadyTime::duration longest_lock_{0};  // for a piece of it
  uint64_t journal_bytes_ = 0;            // since the last one
  SteadyTime retry_at_;
  std::chrono::milliseconds retry_{0};  // after the next failure
  bool failing_ = false;

  // Guards what follows. Taken after the ledger's mutex.
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t flushes_asked_ = 0;
  uint64_t flushes_done_ = 0;
  bool unwritten_ = false;  // steps were taken, and are not in the journal
  bool stalled_ = false;    // a patience ended before the flush
};

}  // namespace kem

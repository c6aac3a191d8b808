// Keeps a ledger on disk, so that the next process continues however this one
// ends: a snapshot, and a journal of the steps since. A new snapshot follows
// when the journal has outgrown the last one. The journal is brought up to date
// before a scrape exposes what those steps counted, so no counter is ever seen
// to fall. Used by KeptState, which runs its two threads. A slow disk never
// delays a watch.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "state/ledger.h"
#include "state/state_files.h"
#include "state/state_load.h"

namespace kem {

struct StateOptions {
  std::string path;
  std::string origin;
  // Between two syncs of the journal: what a power cut may take.
  std::chrono::milliseconds interval{10'000};
  // Called before each sync and snapshot, under the ledger's mutex.
  std::function<void()> before_save = [] {};
};

class StateStore {
 public:
  // Keeps `loaded`'s ledger. All must outlive this.
  StateStore(StateOptions options, const LoadedState& loaded,
             FileSystem& files, Clock& clock, StateStats& stats);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  // Writes a snapshot, unless nothing happened since the last one. Blocks for
  // as long as the disk does. After a failure, which is counted and logged
  // once, the last good snapshot and the journals after it stay. Call it from
  // one thread at a time.
  void Save();

  // Appends the steps until now to the journal, where they survive the end of
  // the process. Blocks for as long as the disk does, but not for a snapshot
  // that is being written. Thread-safe.
  void Flush();

  // Syncs the journal when the interval has passed and saves when the journal is
  // large or lost. One thread at a time.
  void Tick();

  // The bodies of two threads. RunSaves does what is due, and saves once more
  // after `stop`. RunFlushes flushes when steps are many or AwaitFlush waits.
  void RunSaves(const std::stop_token& stop);
  void RunFlushes(const std::stop_token& stop);

  // Waits until RunFlushes has flushed what was counted by now, at most
  // `patience`, and not at all while an earlier flush exceeds its patience.
  // Thread-safe.
  void AwaitFlush(std::chrono::milliseconds patience);

 private:
  void BeginWriting();
  void EndWriting();
  void StartJournal();
  void WriteSteps(bool durably);
  void NoteSuccess();
  void NoteFailure(const Error& error);

  const StateOptions options_;
  Ledger& ledger_;
  FileSystem& files_;
  Clock& clock_;
  StateStats& stats_;
  const std::string read_only_;
  size_t snapshot_bytes_ = 0;
  bool saved_once_ = false;
  std::atomic<bool> failing_{false};
  SteadyTime synced_at_;
  SteadyTime tried_at_;

  // Up to the blank line guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t flushes_asked_ = 0;
  uint64_t flushes_done_ = 0;
  bool writing_ = false;
  bool save_asked_ = false;
  bool stalled_ = false;  // a patience ended before the flush

  // Owned by the thread that has set writing_.
  std::optional<JournalFile> journal_;
  uint64_t generation_;
  uint64_t journal_bytes_ = 0;  // since the last good snapshot
  bool dirty_ = true;           // steps were journaled since the last snapshot
  bool unsynced_ = false;       // since the last sync
};

}  // namespace kem

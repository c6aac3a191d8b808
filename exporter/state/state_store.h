// Keeps a ledger on disk, so that a process that ends in whatever way goes on
// where it was: a snapshot every interval, and a journal of the steps since,
// which is brought up to date before anything they counted is shown. So no
// counter is ever seen to fall. Used by KeptState, which runs its two threads.
// What the disk does never holds up a watch.
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
#include "state/state_stats.h"

namespace kem {

struct StateOptions {
  std::string path;
  std::string origin;
  std::chrono::milliseconds interval{10'000};
  // Called before each save, under the ledger's mutex.
  std::function<void()> before_save = [] {};
};

class StateStore {
 public:
  // `loaded`'s ledger is what is kept. All must outlive this.
  StateStore(StateOptions options, const LoadedState& loaded, Clock& clock,
             StateStats& stats);
  ~StateStore();
  StateStore(const StateStore&) = delete;
  StateStore& operator=(const StateStore&) = delete;

  // Writes a snapshot, unless nothing happened since the last one. Blocks for
  // as long as the disk does. Failures are counted, logged once, and told by
  // the stats; the last good snapshot and the journals after it stay. Not
  // thread-safe with itself.
  void Save();

  // Appends the steps until now to the journal: from then on they survive the
  // end of the process. Blocks for as long as the disk does, but not for a
  // snapshot that is being written. Thread-safe.
  void Flush();

  // For a thread each: saves every interval, and sooner where steps are many or
  // lost, and once more after `stop`; flushes when steps are many or somebody
  // waits for it.
  void RunSaves(const std::stop_token& stop);
  void RunFlushes(const std::stop_token& stop);

  // Waits until RunFlushes has flushed what was counted by now, for `patience`
  // at most, and not at all while the disk takes longer than that. Thread-safe.
  void AwaitFlush(std::chrono::milliseconds patience);

 private:
  void BeginWriting();
  void EndWriting();
  void StartJournal();
  void NoteFailure(const Error& error);

  const StateOptions options_;
  Ledger& ledger_;
  Clock& clock_;
  StateStats& stats_;
  const std::string read_only_;
  size_t snapshot_bytes_ = 0;
  bool saved_once_ = false;
  bool failing_ = false;

  // All until the blank line are guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t flushes_asked_ = 0;
  uint64_t flushes_done_ = 0;
  bool writing_ = false;
  bool save_asked_ = false;
  bool stalled_ = false;  // somebody's patience ended before the flush

  // Belong to who has set writing_.
  std::optional<JournalFile> journal_;
  uint64_t generation_;
  uint64_t journal_bytes_ = 0;  // since the last good snapshot
  bool dirty_ = true;           // steps were journaled since the last snapshot
};

}  // namespace kem

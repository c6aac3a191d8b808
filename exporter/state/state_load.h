// Loads the state at the start: the snapshot and the journals after it become a
// ledger. Unusable files are moved aside. Used before StateStore, which writes
// these files.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "state/ledger.h"

namespace kem {

// What the start found; the label `result`.
enum class StateLoad { kNone, kLoaded, kUnusable };
inline constexpr std::array<std::string_view, 3> kStateLoadNames = {
    "none", "loaded", "unusable"};

// The label `result` of saves: syncs of the journal and snapshots.
inline constexpr std::array<std::string_view, 2> kStateSaveNames = {"success",
                                                                    "failed"};
// The label `file` of bytes written.
inline constexpr std::array<std::string_view, 2> kStateFileNames = {"journal",
                                                                    "snapshot"};

// Results of loading and saving, for the exporter's own metrics and /readyz.
// Written by LoadState and StateStore, read by scrapes. Thread-safe.
struct StateStats {
  // --state.file is given.
  std::atomic<bool> enabled{false};
  std::atomic<StateLoad> load{StateLoad::kNone};
  // An earlier process may have exposed more than was loaded, and the watches
  // have not caught up.
  std::atomic<bool> may_be_behind{false};
  std::array<std::atomic<uint64_t>, kStateSaveNames.size()> saves{};
  std::array<std::atomic<uint64_t>, kStateFileNames.size()> written{};  // bytes
  std::atomic<int64_t> last_success_seconds{0};  // Unix time
  std::atomic<uint64_t> bytes{0};                // of the last snapshot

  void SetProblem(std::string text) {
    const std::lock_guard lock(mutex_);
    problem_ = std::move(text);
  }
  // Why the last save failed, one sentence; empty after a success.
  std::string problem() const {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  mutable std::mutex mutex_;
  std::string problem_;
};

struct LoadedState {
  // A new one unless `result` is kLoaded; else call Resume.
  std::unique_ptr<Ledger> ledger;
  StateLoad result = StateLoad::kNone;
  // The marker exists: the files had all that was exposed.
  bool complete = false;
  // Of the newest journal on the disk.
  uint64_t number = 0;
  // Of the last steps that were loaded (state_files.h).
  uint64_t digest = 0;
  // The files that hold what was loaded, the snapshot first. Empty when
  // something could not be read, so that they are no base to continue on.
  std::vector<std::string> files;
  uint64_t snapshot_bytes = 0;
  uint64_t journal_bytes = 0;
  // Why nothing may be written: an unusable file could not be moved aside.
  std::string read_only;
};

// Loads the snapshot at `path` and the journals that continue it; what a broken
// disk has lost ends it earlier. An unusable state is renamed, never
// overwritten, and logged. `origin` is the API server's URL; the state of
// another is unusable. A new ledger gets `options`.
LoadedState LoadState(FileSystem& files, const std::string& path,
                      const std::string& origin, const SeriesOptions& options,
                      const Clock& clock);

// The first piece of a snapshot; the others are the ledger's pieces. Begins to
// save the ledger.
std::string BeginSnapshotOf(Ledger& ledger, const std::string& origin);

// Removes all journals at `path` but that of this number, as far as it can.
void RemoveJournals(FileSystem& files, const std::string& path,
                    uint64_t number);

// Whether a state can be kept at `path`: its folder is writable, and the file
// is absent or a whole snapshot. Changes nothing. The error is one sentence
// about --state.file.
Result<void> CheckStateFile(FileSystem& files, const std::string& path);

}  // namespace kem

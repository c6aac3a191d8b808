// Loads the state at the start: the snapshot and the journals after it become a
// ledger. What is unusable is moved aside. Used before StateStore, which writes
// these files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "state/ledger.h"
#include "state/state_stats.h"

namespace kem {

struct LoadedState {
  std::unique_ptr<Ledger> ledger;  // a new one unless `result` is kLoaded
  StateLoad result = StateLoad::kNone;
  // The newest of all files on the disk.
  uint64_t generation = 0;
  // Why nothing may be written: an unusable file could not be moved aside.
  std::string read_only;
};

// Loads the state at `path`. An unusable one is renamed, never overwritten, and
// logged. `origin` is the API server's URL; the state of another is unusable.
// The wall clock translates times of the earlier process's steady clock.
LoadedState LoadState(const std::string& path, const std::string& origin,
                      const SeriesOptions& options, const Clock& clock);

// Appends the content of a snapshot: `origin`, the moment, the ledger.
void SavePayload(const std::string& origin, const Moment& now,
                 const Ledger& ledger, std::string& out);

// Removes all journals at `path` except that of `generation`.
void RemoveJournals(const std::string& path, uint64_t generation);

}  // namespace kem

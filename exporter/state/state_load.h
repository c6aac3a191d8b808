// What a start finds on the disk: the newest snapshot and the journals that
// carry it on, as a ledger; or what is unusable, put aside. Used by the app
// before StateStore, which writes what is read here.
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
  // The newest on the disk, of whatever file.
  uint64_t generation = 0;
  // Why nothing may be written: an unusable file that could not be put aside.
  std::string read_only;
};

// Takes the state at `path` as far as it is usable. What is not is put aside
// under another name beside it, never overwritten, and logged. `origin` is what
// the state is of, the API server's URL: one of another is not usable. Times
// of the steady clock become this process's by the wall clock.
LoadedState LoadState(const std::string& path, const std::string& origin,
                      const SeriesOptions& options, const Clock& clock);

// Appends what a snapshot at `path` holds: `origin`, the moment, the ledger.
void SavePayload(const std::string& origin, const Moment& now,
                 const Ledger& ledger, std::string& out);

// Removes the journals at `path` but that of `generation`.
void RemoveJournals(const std::string& path, uint64_t generation);

}  // namespace kem

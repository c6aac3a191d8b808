// The ledger of this process and what keeps it: with --state.file a lock, what
// an earlier process left, and the threads that save; without, nothing but a
// new ledger. Used by the app, so that the rest need not know which it is.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "state/state_load.h"
#include "state/state_store.h"

namespace kem {

class KeptState {
 public:
  // Waits up to 15 s for another process to let go of the file, as a rolling
  // update may start the new one before the old one ended; then kInvalidConfig.
  // An empty `options.path` keeps nothing. `watches` are the names of those
  // there will be. `clock` must outlive this.
  static Result<std::unique_ptr<KeptState>> Open(
      StateOptions options, const SeriesOptions& series,
      const std::vector<std::string>& watches, Clock& clock);
  ~KeptState();

  Ledger& ledger() { return *loaded_.ledger; }
  const StateStats& stats() const { return stats_; }

  // Begins to keep the ledger; the first save is done on return. Whatever makes
  // watches has done so. `before_save` is called before each save, under the
  // ledger's mutex, until Stop.
  void Start(std::function<void()> before_save);
  // What is counted by now is not forgotten when the process ends: waits for
  // the disk, but for half a second at most. Thread-safe.
  void Flush();
  // Saves once more and ends. To be called when nothing counts any more. The
  // second time, and without Start, it does nothing.
  void Stop();

 private:
  KeptState(StateOptions options, Clock& clock);

  StateOptions options_;
  Clock& clock_;
  StateStats stats_;
  UniqueFd lock_;
  LoadedState loaded_;
  std::optional<StateStore> store_;
  std::jthread saves_;
  std::jthread flushes_;
};

}  // namespace kem

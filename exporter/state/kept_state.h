// The ledger of this process. With --state.file it is what an earlier process
// left, locked, with the thread that saves it; without, a new ledger and
// nothing else. Used by the app, so that the rest works the same in both cases.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/file_system.h"
#include "base/result.h"
#include "state/state_load.h"
#include "state/state_store.h"

namespace kem {

class KeptState {
 public:
  // An empty `options.path` keeps nothing. Waits up to 15 s for another process
  // to release the file, because a rolling update may start the new one before
  // the old one has ended; then kInvalidConfig. kCancelled after `stop`.
  // Forgets the collections of names other than `names`. `files` and `clock`
  // must outlive this.
  static Result<std::unique_ptr<KeptState>> Open(
      StateOptions options, const SeriesOptions& series,
      const std::vector<std::string>& names, FileSystem& files, Clock& clock,
      const std::stop_token& stop);
  ~KeptState();

  Ledger& ledger() { return *loaded_.ledger; }
  const StateStats& stats() const { return stats_; }
  // Later scrapes expose nothing older than earlier processes did. Thread-safe.
  void NoteCaughtUp() { stats_.may_be_behind = false; }

  // Starts to save; what was counted is saved on return. All collections are in
  // the ledger by now. `before_save` is called before each save, under the
  // ledger's mutex, until Stop.
  void Start(std::function<void()> before_save);
  // On return what is counted by now survives the end of the process. Waits for
  // the disk, at most half a second. Thread-safe.
  void Flush();
  // Saves once more and joins the thread. Call it when nothing counts any
  // more. Does nothing the second time, or without Start.
  void Stop();

 private:
  explicit KeptState(StateOptions options);

  StateOptions options_;
  StateStats stats_;
  std::unique_ptr<FileLock> lock_;
  LoadedState loaded_;
  std::optional<StateStore> store_;
  std::jthread thread_;
};

}  // namespace kem

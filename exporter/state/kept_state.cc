#include "state/kept_state.h"

#include <utility>

#include "base/log.h"

namespace kem {
namespace {

constexpr std::chrono::milliseconds kLockPoll{250};
constexpr int kLockPolls = 60;
// For the disk at a scrape. What is exposed after a longer wait may be lost.
constexpr std::chrono::milliseconds kPatience{500};

// The lock ends with the process. Where it cannot be made, nothing else can be
// written, and the first save reports that; the result is then null.
Result<std::unique_ptr<FileLock>> WaitForLock(FileSystem& files,
                                              const std::string& path,
                                              Clock& clock,
                                              const std::stop_token& stop) {
  for (int poll = 0;; ++poll) {
    Result<std::unique_ptr<FileLock>> lock = files.Lock(path + ".lock");
    if (!lock) return std::unique_ptr<FileLock>();
    if (*lock != nullptr) return lock;
    if (poll == kLockPolls) {
      return InvalidConfig(
          "--state.file " + path +
          " is in use by another kube-event-metrics; stop it, or give each "
          "process its own file");
    }
    if (poll == 0) LogInfo("Waiting for the state file", {{"file", path}});
    if (!clock.SleepFor(kLockPoll, stop)) {
      return Error{ErrorCode::kCancelled,
                   "stopped while another process used " + path};
    }
  }
}

}  // namespace

KeptState::KeptState(StateOptions options) : options_(std::move(options)) {}

KeptState::~KeptState() { Stop(); }

Result<std::unique_ptr<KeptState>> KeptState::Open(
    StateOptions options, const SeriesOptions& series,
    const std::vector<std::string>& names, FileSystem& files, Clock& clock,
    const std::stop_token& stop) {
  std::unique_ptr<KeptState> kept(new KeptState(std::move(options)));
  const std::string& path = kept->options_.path;
  if (path.empty()) {
    kept->loaded_.ledger = std::make_unique<Ledger>(series, Hasher());
    return kept;
  }
  Result<std::unique_ptr<FileLock>> lock =
      WaitForLock(files, path, clock, stop);
  if (!lock) return lock.error();
  kept->lock_ = std::move(*lock);
  kept->loaded_ = LoadState(files, path, kept->options_.origin, series, clock);
  Ledger& ledger = kept->ledger();
  kept->store_.emplace(kept->options_, kept->loaded_, files, clock,
                       kept->stats_);
  if (kept->loaded_.result == StateLoad::kLoaded) {
    const Moment now = clock.Now();
    ledger.Resume(series, names, ledger.ShiftUntil(now), now);
  }
  return kept;
}

void KeptState::Start(std::function<void()> before_save) {
  if (!store_) return;
  // Everything exposed from now on must be on the disk first.
  store_->Start(std::move(before_save));
  thread_ =
      std::jthread([this](const std::stop_token& stop) { store_->Run(stop); });
}

void KeptState::Flush() {
  if (store_) store_->AwaitFlush(kPatience);
}

void KeptState::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

}  // namespace kem

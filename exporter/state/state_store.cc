#include "state/state_store.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/log.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A snapshot is due when the journal has outgrown the last one, so a day's
// snapshots are at most twice as large as its journals (LevelDB compacts by
// size in the same way). Never below this, or a small state would be written
// often.
constexpr uint64_t kMinJournalBytes = uint64_t{4} << 20;
// Steps kept in memory while the journal cannot be written.
constexpr size_t kMaxPendingBytes = LedgerLog::kMaxBytes;
// A snapshot and journals that a start continues.
constexpr size_t kMaxFiles = 17;

}  // namespace

StateStore::StateStore(StateOptions options, const LoadedState& loaded,
                       FileSystem& files, Clock& clock, StateStats& stats)
    : options_(std::move(options)),
      ledger_(*loaded.ledger),
      files_(files),
      clock_(clock),
      stats_(stats),
      read_only_(loaded.read_only),
      base_(loaded.files),
      number_(loaded.number),
      digest_(loaded.digest),
      synced_at_(clock.SteadyNow()),
      snapshot_bytes_(loaded.snapshot_bytes),
      journal_bytes_(loaded.journal_bytes) {
  stats_.enabled = true;
  stats_.bytes = snapshot_bytes_;
  stats_.load = loaded.result;
  if (loaded.complete) marked_ = true;
  stats_.may_be_behind =
      loaded.result == StateLoad::kLoaded && !loaded.complete;
  const std::lock_guard guard(ledger_.mutex());
  ledger_.StartLog([this] {
    const std::lock_guard lock(mutex_);
    ++flushes_asked_;
    changed_.notify_all();
  });
}

StateStore::~StateStore() {
  const std::lock_guard guard(ledger_.mutex());
  ledger_.StopLog();
}

void StateStore::Start(std::function<void()> before_save) {
  before_save_ = std::move(before_save);
  // Crashes in a row leave a journal each; a start reads all.
  bool continued = !base_.empty() && base_.size() <= kMaxFiles;
  for (const std::string& file : base_) {
    continued = continued && files_.SyncFile(file);
  }
  if (continued) {
    ++number_;
    continued = OpenJournal(digest_).has_value();
  }
  if (continued) {
    journal_state_ = JournalState::kWhole;
    snapshot_state_ = SnapshotState::kNone;
    Flush();
  } else {
    Save();
  }
  // The disk may have failed for the earlier process too, with the marker.
  if (failing_ && stats_.load == StateLoad::kLoaded) {
    stats_.may_be_behind = true;
    Mark();
  }
}

// Keeps the marker true, as far as the disk allows.
void StateStore::Mark() {
  const bool complete = !stats_.may_be_behind && pending_.empty() &&
                        (journal_state_ == JournalState::kWhole ||
                         journal_state_ == JournalState::kUncertain);
  if (complete == marked_) return;
  const std::string marker = MarkerPath(options_.path);
  const bool done = complete ? files_.Create(marker).has_value()
                             : files_.Remove(marker).has_value();
  if (done) marked_ = complete;
}

// Needs the ledger's mutex. Append `steps` to pending_ without it, because they
// may be many. False when others were lost: then call LoseJournal.
bool StateStore::TakeSteps(std::string& steps) {
  LedgerLog& log = *ledger_.log();
  const bool lost =
      log.overflowed() || pending_.size() + log.size() > kMaxPendingBytes;
  if (log.size() > 0 || lost) {
    const std::lock_guard lock(mutex_);
    unwritten_ = true;
  }
  steps = log.Take();
  if (lost) log.Restart();
  return !lost;
}

void StateStore::LoseJournal() {
  journal_state_ = JournalState::kLost;
  journal_.reset();
  pending_.clear();
  if (snapshot_state_ == SnapshotState::kNone) {
    snapshot_state_ = SnapshotState::kDue;
  }
}

Result<void> StateStore::AppendPending() {
  if (!journal_) pending_.clear();
  if (!pending_.empty()) {
    const uint64_t before = journal_->size();
    if (auto wrote = journal_->Append(pending_); !wrote) return wrote;
    pending_.clear();
    digest_ = journal_->digest();
    unsynced_ = true;
    journal_bytes_ += journal_->size() - before;
    stats_.written[0] += journal_->size() - before;
  }
  const std::lock_guard lock(mutex_);
  unwritten_ = false;
  return {};
}

void StateStore::Flush() {
  std::string steps;
  bool complete = false;
  {
    const std::lock_guard guard(ledger_.mutex());
    complete = TakeSteps(steps);
  }
  pending_ += steps;
  if (!complete) LoseJournal();
  const Result<void> wrote = AppendPending();
  Mark();
  if (!wrote) return NoteFailure(wrote.error());
  if (snapshot_state_ == SnapshotState::kNone &&
      journal_bytes_ > std::max(kMinJournalBytes, snapshot_bytes_)) {
    snapshot_state_ = SnapshotState::kDue;
  }
}

void StateStore::Sync() {
  {
    const std::lock_guard guard(ledger_.mutex());
    if (unsynced_ || ledger_.log()->size() > 0) before_save_();
  }
  Flush();
  if (!unsynced_ || !pending_.empty() || !journal_ ||
      journal_state_ == JournalState::kUncertain) {
    return;
  }
  Result<void> synced;
  if (!named_) synced = files_.SyncFolder(FolderOf(options_.path));
  if (!synced) return NoteFailure(synced.error());
  named_ = true;
  synced = journal_->Sync();
  if (synced) {
    unsynced_ = false;
    return NoteSuccess();
  }
  if (journal_state_ == JournalState::kWhole) {
    journal_state_ = JournalState::kUncertain;
  }
  if (snapshot_) return FailSnapshot(synced.error());
  snapshot_state_ = SnapshotState::kDue;
  NoteFailure(synced.error());
}

bool StateStore::Tick() {
  const SteadyTime now = clock_.SteadyNow();
  if (now - synced_at_ >= options_.interval) {
    synced_at_ = now;
    Sync();
  }
  if (snapshot_state_ == SnapshotState::kDue && now >= retry_at_) {
    BeginSnapshot();
  } else if (snapshot_) {
    AdvanceSnapshot();
  }
  return snapshot_.has_value();
}

void StateStore::Save() {
  if (!snapshot_) {
    Flush();
    if (journal_state_ == JournalState::kWhole && pending_.empty() &&
        journal_bytes_ == 0) {
      return;
    }
    BeginSnapshot();
  }
  while (snapshot_) {
    ServeFlushes();
    AdvanceSnapshot();
  }
}

// Whether the journal has all steps until now. If so it was synced as well, or
// is uncertain.
bool StateStore::CloseJournal() {
  if (!journal_ || !AppendPending()) return false;
  if (journal_state_ == JournalState::kWhole && unsynced_) {
    Result<void> synced;
    if (!named_) synced = files_.SyncFolder(FolderOf(options_.path));
    if (!synced || !journal_->Sync()) {
      journal_state_ = JournalState::kUncertain;
    }
  }
  return true;
}

void StateStore::Run(const std::stop_token& stop) try {
  bool more = false;
  while (!stop.stop_requested()) {
    if (!more) {
      const auto left = synced_at_ + options_.interval - clock_.SteadyNow();
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop,
                        std::clamp<SteadyTime::duration>(left, milliseconds(1),
                                                         options_.interval),
                        [this] { return flushes_asked_ > flushes_done_; });
    }
    ServeFlushes();
    more = Tick();
  }
  Sync();
  Save();
} catch (const std::exception& error) {
  const std::string problem = "internal error: " + std::string(error.what()) +
                              "; counting continues, the state is kept no more";
  stats_.SetProblem(problem);
  LogError("The state is kept no more", {{"why", problem}});
}

void StateStore::ServeFlushes() {
  uint64_t asked = 0;
  {
    const std::lock_guard lock(mutex_);
    if (flushes_asked_ == flushes_done_) return;
    asked = flushes_asked_;
  }
  Flush();
  const std::lock_guard lock(mutex_);
  flushes_done_ = asked;
  stalled_ = false;
  changed_.notify_all();
}

void StateStore::AwaitFlush(milliseconds patience) {
  bool none = false;
  {
    const std::lock_guard guard(ledger_.mutex());
    none = ledger_.log()->size() == 0;
  }
  std::unique_lock lock(mutex_);
  // Otherwise some steps may have been taken and not yet been written.
  if (none && !unwritten_) return;
  const uint64_t mine = ++flushes_asked_;
  changed_.notify_all();
  if (stalled_) return;
  stalled_ =
      !changed_.wait_for(lock, patience, [&] { return flushes_done_ >= mine; });
}

void StateStore::NoteSuccess() {
  ++stats_.saves[0];
  stats_.last_success_seconds =
      std::chrono::floor<seconds>(clock_.WallNow()).time_since_epoch().count();
  // A sync does not repair what only a snapshot can.
  if (retry_ > milliseconds(0)) return;
  stats_.SetProblem("");
  if (std::exchange(failing_, false)) LogInfo("State saved again", {});
}

void StateStore::NoteFailure(const Error& error) {
  ++stats_.saves[1];
  const std::string problem =
      error.message + "; counting continues and the last good state is kept";
  stats_.SetProblem(problem);
  if (!std::exchange(failing_, true)) {
    LogError("Saving the state failed", {{"why", problem}});
  }
}

}  // namespace kem

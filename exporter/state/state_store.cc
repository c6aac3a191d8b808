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
// snapshots are at most twice as large as its journals (leveldb compacts by size
// in the same way). Never below this, or a small state would be written often.
constexpr uint64_t kMinJournalBytes = uint64_t{4} << 20;
// Steps kept in memory while the journal cannot be written.
constexpr size_t kMaxPendingBytes = LedgerLog::kMaxBytes;
constexpr size_t kPieceBytes = size_t{64} << 10;
// Between two attempts to write a snapshot. KubeEventExporterStateNotSaved
// needs one in ten minutes.
constexpr seconds kLongestRetry{300};

}  // namespace

StateStore::StateStore(StateOptions options, const LoadedState& loaded,
                       FileSystem& files, Clock& clock, StateStats& stats)
    : options_(std::move(options)),
      ledger_(*loaded.ledger),
      files_(files),
      clock_(clock),
      stats_(stats),
      read_only_(loaded.read_only),
      number_(loaded.number),
      mark_(loaded.mark),
      synced_at_(clock.SteadyNow()) {
  stats_.enabled = true;
  stats_.load = loaded.result;
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

// Needs the ledger's mutex.
void StateStore::TakeSteps() {
  LedgerLog& log = *ledger_.log();
  const bool lost =
      log.overflowed() || pending_.size() + log.size() > kMaxPendingBytes;
  if (log.size() > 0 || lost) {
    const std::lock_guard lock(mutex_);
    unwritten_ = true;
  }
  pending_ += log.Take();
  if (!lost) return;
  log.Restart();
  LoseJournal();
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
    mark_ = journal_->mark();
    unsynced_ = true;
    journal_bytes_ += journal_->size() - before;
    stats_.written[0] += journal_->size() - before;
  }
  const std::lock_guard lock(mutex_);
  unwritten_ = false;
  return {};
}

void StateStore::Flush() {
  {
    const std::lock_guard guard(ledger_.mutex());
    TakeSteps();
  }
  if (const Result<void> wrote = AppendPending(); !wrote) {
    return NoteFailure(wrote.error());
  }
  if (snapshot_state_ == SnapshotState::kNone &&
      journal_bytes_ > std::max(kMinJournalBytes, snapshot_bytes_)) {
    snapshot_state_ = SnapshotState::kDue;
  }
}

void StateStore::Sync() {
  {
    const std::lock_guard guard(ledger_.mutex());
    if (unsynced_ || ledger_.log()->size() > 0) options_.before_save();
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

void StateStore::BeginSnapshot() {
  if (!read_only_.empty()) {
    return FailSnapshot(Error{ErrorCode::kInternal, read_only_});
  }
  payload_.clear();
  payload_done_ = 0;
  {
    const std::lock_guard guard(ledger_.mutex());
    options_.before_save();
    TakeSteps();
    SavePayload(options_.origin, clock_.Now(), ledger_, payload_);
  }
  const bool closed = CloseJournal();
  if (Result<void> opened = OpenFiles(closed); !opened) {
    return FailSnapshot(opened.error());
  }
  snapshot_state_ = SnapshotState::kWriting;
}

// The snapshot and the journal after it. When the old journal is not `closed`,
// steps are missing between the two, and the mark is one that nothing has: no
// other process gives its journals this number.
Result<void> StateStore::OpenFiles(bool closed) {
  ++number_;
  const uint64_t mark =
      closed ? mark_ : MarkAfter(mark_, "lost " + std::to_string(number_));
  snapshot_.emplace(files_, options_.path);
  if (auto begun = snapshot_->Begin(mark); !begun) return begun;
  Result<BatchWriter> journal =
      BatchWriter::Create(files_, JournalPath(options_.path, number_),
                          StateFile::kJournal, mark);
  if (!journal) return journal.error();
  journal_.emplace(std::move(*journal));
  mark_ = mark;
  pending_.clear();
  named_ = unsynced_ = false;
  journal_bytes_ = 0;
  if (!closed) journal_state_ = JournalState::kAhead;
  return {};
}

void StateStore::AdvanceSnapshot() {
  if (snapshot_state_ == SnapshotState::kWriting) {
    if (Result<void> wrote = WritePiece(); !wrote) FailSnapshot(wrote.error());
  } else if (!snapshot_->Settle()) {
    FinishSnapshot();
  }
}

Result<void> StateStore::WritePiece() {
  const std::string_view piece =
      std::string_view(payload_).substr(payload_done_, kPieceBytes);
  payload_done_ += piece.size();
  if (payload_done_ == payload_.size()) {
    snapshot_state_ = SnapshotState::kSettling;
  }
  const uint64_t before = snapshot_->size();
  Result<void> wrote = snapshot_->Append(piece);
  stats_.written[1] += snapshot_->size() - before;
  return wrote;
}

void StateStore::FinishSnapshot() {
  if (Result<void> done = snapshot_->Finish(); !done) {
    return FailSnapshot(done.error());
  }
  snapshot_bytes_ = snapshot_->size();
  snapshot_.reset();
  snapshot_state_ = SnapshotState::kNone;
  if (journal_state_ != JournalState::kLost) {
    journal_state_ = JournalState::kWhole;
    named_ = true;
  } else {
    snapshot_state_ = SnapshotState::kDue;
  }
  retry_ = milliseconds(0);
  stats_.bytes = snapshot_bytes_;
  RemoveJournals(files_, options_.path, number_);
  NoteSuccess();
}

void StateStore::FailSnapshot(const Error& error) {
  if (snapshot_) {
    const bool in_place = snapshot_->in_place();
    snapshot_->Abandon();
    snapshot_.reset();
    if (journal_state_ == JournalState::kAhead) {
      in_place ? void(journal_state_ = JournalState::kUncertain)
               : LoseJournal();
    }
  }
  payload_ = std::string();
  retry_ = std::clamp<milliseconds>(2 * retry_, options_.interval,
                                    std::max<milliseconds>(options_.interval,
                                                           kLongestRetry));
  retry_at_ = clock_.SteadyNow() + retry_;
  snapshot_state_ = SnapshotState::kDue;
  NoteFailure(error);
}

void StateStore::Run(const std::stop_token& stop) try {
  bool more = false;
  while (!stop.stop_requested()) {
    if (!more) {
      const auto left = synced_at_ + options_.interval - clock_.SteadyNow();
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop,
                        std::clamp<SteadyTime::duration>(
                            left, milliseconds(1), options_.interval),
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

// The part of StateStore that writes snapshots.

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "state/state_store.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kPieceBytes = size_t{64} << 10;
// Between two attempts to write a snapshot. KubeEventExporterStateNotSaved
// needs one in ten minutes.
constexpr seconds kLongestRetry{300};

// Keeps the longest time that a lock was held.
class LockTimer {
 public:
  LockTimer(const Clock& clock, SteadyTime::duration& longest)
      : clock_(clock), longest_(longest), begin_(clock.SteadyNow()) {}
  ~LockTimer() { longest_ = std::max(longest_, clock_.SteadyNow() - begin_); }
  LockTimer(const LockTimer&) = delete;
  LockTimer& operator=(const LockTimer&) = delete;

 private:
  const Clock& clock_;
  SteadyTime::duration& longest_;
  const SteadyTime begin_;
};

}  // namespace

void StateStore::BeginSnapshot() {
  if (!read_only_.empty()) {
    return FailSnapshot(Error{ErrorCode::kInternal, read_only_});
  }
  std::string head;
  std::string steps;
  bool complete = false;
  longest_lock_ = SteadyTime::duration(0);
  {
    const std::lock_guard guard(ledger_.mutex());
    const LockTimer timer(clock_, longest_lock_);
    before_save_();
    complete = TakeSteps(steps);
    head = BeginSnapshotOf(ledger_, options_.origin);
  }
  pending_ += steps;
  if (!complete) LoseJournal();
  const bool closed = CloseJournal();
  if (Result<void> opened = OpenFiles(closed, head); !opened) {
    return FailSnapshot(opened.error());
  }
  snapshot_state_ = SnapshotState::kWriting;
}

// The snapshot and the journal after it. When the old journal is not `closed`,
// steps are missing between the two, and the digest is one that nothing has: no
// other process gives its journals this number.
Result<void> StateStore::OpenFiles(bool closed, std::string_view head) {
  ++number_;
  const uint64_t digest =
      closed ? digest_
             : DigestAfter(digest_, "lost " + std::to_string(number_));
  snapshot_.emplace(files_, options_.path);
  if (auto begun = snapshot_->Begin(digest); !begun) return begun;
  if (auto wrote = AppendPiece(head); !wrote) return wrote;
  if (auto opened = OpenJournal(digest); !opened) return opened;
  pending_.clear();
  journal_bytes_ = 0;
  if (!closed) journal_state_ = JournalState::kAhead;
  return {};
}

Result<void> StateStore::OpenJournal(uint64_t digest) {
  Result<BatchWriter> journal = BatchWriter::Create(
      files_, JournalPath(options_.path, number_), StateFile::kJournal, digest);
  if (!journal) return journal.error();
  journal_.emplace(std::move(*journal));
  digest_ = digest;
  named_ = unsynced_ = false;
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
  std::string piece;
  piece.reserve(2 * kPieceBytes);  // without the mutex
  bool gave_up = false;
  Leftovers left;
  {
    const std::lock_guard guard(ledger_.mutex());
    const LockTimer timer(clock_, longest_lock_);
    ledger_.SavePiece(kPieceBytes, piece);
    gave_up = ledger_.save_gave_up();
    if (piece.empty()) left = ledger_.EndSave();
  }
  if (gave_up) {
    return Error{ErrorCode::kInternal,
                 "too much changed while a snapshot was written"};
  }
  if (!piece.empty()) return AppendPiece(piece);
  snapshot_state_ = SnapshotState::kSettling;
  return {};
}

Result<void> StateStore::AppendPiece(std::string_view piece) {
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
  Mark();
  retry_ = milliseconds(0);
  stats_.bytes = snapshot_bytes_;
  LogDebug(
      "Snapshot of the state written",
      {{"bytes", snapshot_bytes_},
       {"longest_lock_us",
        std::chrono::floor<std::chrono::microseconds>(longest_lock_).count()}});
  RemoveJournals(files_, options_.path, number_);
  NoteSuccess();
}

void StateStore::FailSnapshot(const Error& error) {
  {
    Leftovers left;
    const std::lock_guard guard(ledger_.mutex());
    left = ledger_.EndSave();
  }
  if (snapshot_) {
    const bool in_place = snapshot_->in_place();
    snapshot_->Abandon();
    snapshot_.reset();
    if (journal_state_ == JournalState::kAhead) {
      in_place ? void(journal_state_ = JournalState::kUncertain)
               : LoseJournal();
    }
  }
  retry_ = std::clamp<milliseconds>(
      2 * retry_, options_.interval,
      std::max<milliseconds>(options_.interval, kLongestRetry));
  retry_at_ = clock_.SteadyNow() + retry_;
  snapshot_state_ = SnapshotState::kDue;
  NoteFailure(error);
}

}  // namespace kem

#include "state/state_store.h"

#include <algorithm>
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
// Journals kept while no snapshot can be written.
constexpr uint64_t kMaxJournalBytes = uint64_t{512} << 20;
}  // namespace

StateStore::StateStore(StateOptions options, const LoadedState& loaded,
                       FileSystem& files, Clock& clock, StateStats& stats)
    : options_(std::move(options)),
      ledger_(*loaded.ledger),
      files_(files),
      clock_(clock),
      stats_(stats),
      read_only_(loaded.read_only),
      generation_(loaded.generation) {
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

// A new journal may follow the old one only when no step between them is
// missing. Otherwise it must not start before its snapshot is on the disk.
void StateStore::Save() {
  BeginWriting();
  std::string payload;
  std::string steps;
  bool unbroken = false;
  {
    const std::lock_guard guard(ledger_.mutex());
    LedgerLog& log = *ledger_.log();
    dirty_ = dirty_ || log.size() > 0 || log.overflowed();
    if (saved_once_ && !dirty_) {
      EndWriting();
      return;
    }
    options_.before_save();
    SavePayload(options_.origin, clock_.Now(), ledger_, payload);
    unbroken = journal_.has_value() && !log.overflowed();
    steps = log.Take();
    log.Restart();
  }
  ++generation_;
  unbroken = unbroken && journal_bytes_ < kMaxJournalBytes &&
             (steps.empty() || journal_->Append(steps));
  journal_.reset();
  if (unbroken) StartJournal();
  dirty_ = false;
  EndWriting();

  const size_t size = payload.size();
  if (read_only_.empty()) stats_.written[1] += size;
  Result<void> wrote =
      read_only_.empty()
          ? WriteSnapshot(files_, options_.path,
                          {generation_, std::move(payload)})
          : Result<void>(Error{ErrorCode::kInternal, read_only_});
  BeginWriting();
  if (wrote) {
    if (!journal_) StartJournal();
    journal_bytes_ = journal_ ? journal_->size() : 0;
    unsynced_ = journal_.has_value();
    RemoveJournals(files_, options_.path, generation_);
  } else {
    dirty_ = true;
  }
  EndWriting();
  if (!wrote) return NoteFailure(wrote.error());
  saved_once_ = true;
  snapshot_bytes_ = size;
  stats_.bytes = size;
  NoteSuccess();
}

void StateStore::StartJournal() {
  Result<JournalFile> file =
      JournalFile::Create(files_, JournalPath(options_.path, generation_),
                          generation_);
  if (file) journal_ = std::move(*file);
}

void StateStore::Flush() { WriteSteps(/*durably=*/false); }

void StateStore::WriteSteps(bool durably) {
  BeginWriting();
  Result<void> wrote;
  if (journal_) {
    std::string steps;
    bool overflowed = false;
    {
      const std::lock_guard guard(ledger_.mutex());
      LedgerLog& log = *ledger_.log();
      if (durably && (unsynced_ || log.size() > 0)) options_.before_save();
      overflowed = log.overflowed();
      if (!overflowed) steps = log.Take();
    }
    if (!steps.empty()) {
      dirty_ = unsynced_ = true;
      wrote = journal_->Append(steps);
      journal_bytes_ += steps.size();
      stats_.written[0] += steps.size();
    }
    const bool sync = durably && wrote && unsynced_;
    if (sync) wrote = journal_->Sync();
    // Nothing may follow what was lost.
    if (!wrote || overflowed) journal_.reset();
    if (!wrote) {
      NoteFailure(wrote.error());
    } else if (sync) {
      unsynced_ = false;
      NoteSuccess();
    }
  }
  const bool save =
      !journal_ ||
      journal_bytes_ > std::max<uint64_t>(kMinJournalBytes, snapshot_bytes_);
  EndWriting();
  if (!save) return;
  const std::lock_guard lock(mutex_);
  save_asked_ = true;
  changed_.notify_all();
}

void StateStore::Tick() {
  const SteadyTime now = clock_.SteadyNow();
  if (now - synced_at_ >= options_.interval) {
    synced_at_ = now;
    WriteSteps(/*durably=*/true);
  }
  {
    const std::lock_guard lock(mutex_);
    // After a failure the disk gets time to recover.
    if (!save_asked_ || (failing_ && now - tried_at_ < options_.interval)) {
      return;
    }
    save_asked_ = false;
  }
  tried_at_ = now;
  Save();
}

void StateStore::RunSaves(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const bool asked = save_asked_;
    changed_.wait_for(lock, stop, options_.interval,
                      [&] { return save_asked_ && !asked; });
    lock.unlock();
    Tick();
    lock.lock();
  }
  lock.unlock();
  Save();
}

void StateStore::RunFlushes(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  const auto asked = [this] { return flushes_asked_ > flushes_done_; };
  while (changed_.wait(lock, stop, asked)) {
    const uint64_t done = flushes_asked_;
    lock.unlock();
    Flush();
    lock.lock();
    flushes_done_ = done;
    stalled_ = false;
    changed_.notify_all();
  }
}

void StateStore::AwaitFlush(milliseconds patience) {
  bool none = false;
  {
    const std::lock_guard guard(ledger_.mutex());
    none = ledger_.log()->size() == 0;
  }
  std::unique_lock lock(mutex_);
  // Otherwise some steps may have been taken and not yet been written.
  if (none && !writing_) return;
  const uint64_t mine = ++flushes_asked_;
  changed_.notify_all();
  if (stalled_) return;
  stalled_ =
      !changed_.wait_for(lock, patience, [&] { return flushes_done_ >= mine; });
}

void StateStore::BeginWriting() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !writing_; });
  writing_ = true;
}

void StateStore::EndWriting() {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  changed_.notify_all();
}

void StateStore::NoteSuccess() {
  ++stats_.saves[0];
  stats_.last_success_seconds =
      std::chrono::floor<seconds>(clock_.WallNow()).time_since_epoch().count();
  stats_.SetProblem("");
  if (failing_.exchange(false)) LogInfo("State saved again", {});
}

void StateStore::NoteFailure(const Error& error) {
  ++stats_.saves[1];
  const std::string problem =
      error.message + "; counting continues and the last good state is kept";
  stats_.SetProblem(problem);
  if (!failing_.exchange(true)) {
    LogError("Saving the state failed", {{"why", problem}});
  }
}

}  // namespace kem

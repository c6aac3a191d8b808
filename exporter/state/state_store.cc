#include "state/state_store.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "state/ledger_log.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A longer journal takes more time to replay than a snapshot to load.
constexpr uint64_t kMinJournalBytes = uint64_t{32} << 20;
// Journals kept while no snapshot can be written.
constexpr uint64_t kMaxJournalBytes = uint64_t{512} << 20;
// Between two saves on request.
constexpr seconds kSoonest{1};

}  // namespace

StateStore::StateStore(StateOptions options, const LoadedState& loaded,
                       Clock& clock, StateStats& stats)
    : options_(std::move(options)),
      ledger_(*loaded.ledger),
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
  Result<void> wrote =
      read_only_.empty()
          ? WriteSnapshot(options_.path, {generation_, std::move(payload)})
          : Result<void>(Error{ErrorCode::kInternal, read_only_});
  BeginWriting();
  if (wrote) {
    if (!journal_) StartJournal();
    journal_bytes_ = journal_ ? journal_->size() : 0;
    RemoveJournals(options_.path, generation_);
  } else {
    dirty_ = true;
  }
  EndWriting();
  if (!wrote) return NoteFailure(wrote.error());
  saved_once_ = true;
  snapshot_bytes_ = size;
  ++stats_.saves[0];
  stats_.bytes = size;
  stats_.last_success_seconds =
      std::chrono::floor<seconds>(clock_.WallNow()).time_since_epoch().count();
  stats_.SetProblem("");
  if (std::exchange(failing_, false)) LogInfo("State saved again", {});
}

void StateStore::StartJournal() {
  Result<JournalFile> file =
      JournalFile::Create(JournalPath(options_.path, generation_), generation_);
  if (file) journal_ = std::move(*file);
}

void StateStore::Flush() {
  BeginWriting();
  if (journal_) {
    std::string steps;
    bool overflowed = false;
    {
      const std::lock_guard guard(ledger_.mutex());
      overflowed = ledger_.log()->overflowed();
      if (!overflowed) steps = ledger_.log()->Take();
    }
    if (!steps.empty()) {
      dirty_ = true;
      // A lost batch ends the journal: nothing may follow it.
      if (!journal_->Append(steps)) journal_.reset();
      journal_bytes_ += steps.size();
    }
    if (overflowed) journal_.reset();
  }
  const bool save =
      !journal_ || journal_bytes_ > std::max<uint64_t>(kMinJournalBytes,
                                                       2 * snapshot_bytes_);
  EndWriting();
  if (!save) return;
  const std::lock_guard lock(mutex_);
  save_asked_ = true;
  changed_.notify_all();
}

void StateStore::RunSaves(const std::stop_token& stop) {
  SteadyTime saved = clock_.SteadyNow();
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const bool soon = save_asked_;
    const auto due =
        saved + (soon ? std::min<milliseconds>(options_.interval, kSoonest)
                      : options_.interval);
    const auto left = due - clock_.SteadyNow();
    if (left > SteadyTime::duration(0)) {
      changed_.wait_for(lock, stop, left, [&] { return save_asked_ != soon; });
      continue;
    }
    save_asked_ = false;
    saved = clock_.SteadyNow();
    lock.unlock();
    Save();
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

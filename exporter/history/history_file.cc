#include "history/history_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

#include "base/log.h"
#include "base/rfc3339.h"
#include "history/schema.h"

namespace kem {
namespace {

constexpr size_t kWriterCache = size_t{2} << 20;
constexpr int kWriterPatienceMillis = 1000;
constexpr int64_t kPageBytes = 4096;
// The part of the limit that is for the WAL. It is written back at a
// eighth of this, and a transaction may be longer.
constexpr uint64_t kMaxWal = uint64_t{20} << 20;
// A call of Append removes this many more than it adds; one of Maintain, this
// many.
constexpr size_t kRemovals = 64;
// Of the index of words, when Events are removed: in the usual course, and when
// space is needed now.
constexpr int64_t kMergePages = 16;
constexpr int64_t kMergePagesForSpace = 256;
constexpr int64_t kVacuumPages = 128;     // of a call of Maintain
constexpr int64_t kMinVacuumPages = 256;  // less free space stays
// What a power cut may take, as of the state (--state.interval).
constexpr std::chrono::seconds kSyncInterval{10};

uint64_t SizeOf(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<uint64_t>(status.st_size);
}

uint64_t MaxWal(const HistoryLimits& limits) {
  return std::min(kMaxWal, limits.max_bytes / 5 * 2);
}

int64_t MaxPages(const HistoryLimits& limits) {
  return static_cast<int64_t>(limits.max_bytes - MaxWal(limits)) / kPageBytes;
}

// Removing begins this far below the limit, and what is added ends at half of
// it, because the index of words grows by what is removed, until it is merged.
int64_t SparePages(const HistoryLimits& limits) {
  return std::clamp<int64_t>(MaxPages(limits) / 8, 512, 8192);
}

std::string LimitPages(int64_t pages) {
  return "PRAGMA max_page_count=" + std::to_string(pages);
}

// Neither an SQLite file nor one whose first bytes a disk has lost.
bool IsForeign(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  std::array<char, kMagic.size()> begin{};
  std::ifstream(path, std::ios::binary).read(begin.data(), begin.size());
  const std::string_view bytes(begin.data(), begin.size());
  return bytes != kMagic &&
         bytes.find_first_not_of('\0') != std::string_view::npos;
}

// "20261123T100746.123Z", as part of a file's name.
std::string Stamp(WallTime now) {
  std::string stamp = FormatRfc3339Millis(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp;
}

}  // namespace

HistoryFile::HistoryFile(std::string path, HistoryLimits limits,
                         const Clock& clock, HistoryStatus& status)
    : path_(std::move(path)),
      limits_(limits),
      clock_(clock),
      status_(status),
      synced_at_(clock.SteadyNow()) {}

HistoryFile::~HistoryFile() = default;

Result<void> HistoryFile::Append(std::span<const Occurrence> batch) {
  const WallTime now = clock_.WallNow();
  return Attempt([&]() -> Result<void> {
    if (Result<void> fits = CheckWal(); !fits) return fits;
    return Transaction([&]() -> Result<void> {
      const Result<size_t> removed = RemoveOverdue(batch.size() + kRemovals);
      if (!removed) return removed.error();
      Result<void> limited = open_->file.Run(
          LimitPages(MaxPages(limits_) - SparePages(limits_) / 2));
      if (!limited) return limited;
      for (const Occurrence& occurrence : batch) {
        Result<void> added = open_->rows->Add(occurrence, now);
        if (!added) return added;
      }
      return {};
    });
  });
}

Result<bool> HistoryFile::Maintain() {
  bool more = false;
  const Result<void> done = Attempt([&]() -> Result<void> {
    if (Result<void> fits = CheckWal(); !fits) return fits;
    Result<void> removed = Transaction([&]() -> Result<void> {
      const Result<size_t> count = RemoveOverdue(kRemovals);
      if (!count) return count.error();
      more = *count == kRemovals;
      return {};
    });
    if (!removed || more) return removed;
    const Result<bool> shrunk = Shrink();
    if (!shrunk) return shrunk.error();
    more = *shrunk;
    return Sync();
  });
  if (!done) return done.error();
  return more;
}

// Opens the file and takes the step, once more after a damaged file was put
// aside.
Result<void> HistoryFile::Attempt(const Step& step) {
  Result<void> done;
  for (const bool again : {true, false}) {
    done = EnsureOpen();
    if (done && status_.TakeDamage(path_)) {
      done = Error{ErrorCode::kMalformed, path_ + " is damaged"};
    }
    if (done) done = step();
    if (done) done = Measure();
    if (done) break;
    if (done.error().code == ErrorCode::kTooLarge) {
      was_full_ = open_ && HasReached();
    }
    open_.reset();  // which rolls back
    const bool unusable = done.error().code == ErrorCode::kMalformed;
    if (!again || !unusable || !PutAside(done.error())) break;
  }
  status_.SetProblem(done ? "" : done.error().message);
  return done;
}

Result<void> HistoryFile::Transaction(const Step& step) {
  Result<void> done = open_->file.Run("BEGIN IMMEDIATE");
  if (done) done = step();
  if (done) done = open_->file.Run("COMMIT");
  return done;
}

Result<void> HistoryFile::EnsureOpen() {
  if (open_ && open_->file.IsCurrent()) return {};
  open_.reset();
  Result<SqlConnection> file =
      SqlConnection::Open(path_, SqlConnection::Access::kReadWrite,
                          kWriterCache, kWriterPatienceMillis);
  if (!file) return file.error();
  const Result<void> prepared =
      PrepareSchema(*file, HistorySchema(), clock_.WallNow());
  if (!prepared) return prepared.error();
  // Another program may have removed some.
  const Result<int64_t> tables = file->Integer(
      "SELECT count(*) FROM sqlite_schema WHERE name IN "
      "('about', 'events', 'jumps', 'objects', 'reasons', 'words')");
  if (!tables) return tables.error();
  if (*tables != 6) {
    return Error{ErrorCode::kMalformed, path_ + " has not all tables"};
  }
  Result<void> set = file->Run(
      "PRAGMA synchronous=NORMAL;PRAGMA wal_autocheckpoint=" +
      std::to_string(MaxWal(limits_) / 8 / kPageBytes) +
      ";PRAGMA journal_size_limit=" + std::to_string(MaxWal(limits_) / 2));
  if (!set) return set;
  auto open = std::make_unique<Open>(Open{std::move(*file), std::nullopt});
  Result<HistoryRows> rows = HistoryRows::Prepare(open->file);
  if (!rows) return rows.error();
  open->rows.emplace(std::move(*rows));
  open_ = std::move(open);
  return {};
}

// With its WAL, without which it is not complete. False if it cannot be
// renamed, and for an empty file, which has nothing that could be damaged.
bool HistoryFile::PutAside(const Error& why) {
  if (SizeOf(path_) == 0 || IsForeign(path_)) return false;
  const std::string aside = path_ + ".unusable-" + Stamp(clock_.WallNow());
  if (std::rename(path_.c_str(), aside.c_str()) != 0) return false;
  std::rename((path_ + "-wal").c_str(), (aside + "-wal").c_str());
  std::remove((path_ + "-shm").c_str());
  status_.NotePutAside();
  LogError("History is unusable, starting a new one",
           {{"why", why.message}, {"kept_as", aside}});
  return true;
}

// While another program reads the file, the WAL cannot begin from its start.
Result<void> HistoryFile::CheckWal() {
  const uint64_t most = MaxWal(limits_) / 8;
  const std::string wal = path_ + "-wal";
  if (SizeOf(wal) <= most) return {};
  Result<void> written = open_->file.Run("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!written || SizeOf(wal) <= most) return written;
  return Error{ErrorCode::kUnavailable,
               wal + " cannot be emptied while another program reads " + path_ +
                   "; end that program"};
}

// The limit, so that it is not the disk that is full.
bool HistoryFile::HasReached() {
  const Result<Pages> pages = CountPages();
  return pages && pages->all >= MaxPages(limits_) - SparePages(limits_);
}

Result<HistoryFile::Pages> HistoryFile::CountPages() {
  const Result<int64_t> all = open_->file.Integer("PRAGMA page_count");
  if (!all) return all.error();
  const Result<int64_t> free = open_->file.Integer("PRAGMA freelist_count");
  if (!free) return free.error();
  return Pages{*all, *free};
}

Result<bool> HistoryFile::IsTooLarge() {
  const Result<Pages> pages = CountPages();
  if (!pages) return pages.error();
  const int64_t used = pages->all - pages->free;
  const int64_t most = MaxPages(limits_) - SparePages(limits_);
  // A batch may need more than is spare. A disk that is full is no reason to
  // remove anything.
  return used > most || (was_full_ && used > most / 2);
}

// A clock that is set to a time far in the future must not remove everything.
Result<WallTime> HistoryFile::NowForAges() {
  const WallTime now = clock_.WallNow();
  const SteadyTime steady = clock_.SteadyNow();
  if (!ages_from_) {
    const Result<int64_t> newest = open_->file.Integer(
        "SELECT max(received) FROM events INDEXED BY by_received");
    if (!newest) return newest.error();
    const WallTime received{std::chrono::microseconds(*newest)};
    ages_from_ = {*newest == 0 ? now : received, steady};
  }
  const auto passed =
      std::chrono::floor<WallTime::duration>(steady - ages_from_->steady);
  return std::min(now, ages_from_->wall + passed);
}

Result<size_t> HistoryFile::RemoveOverdue(size_t most) {
  Result<void> limited = open_->file.Run(LimitPages(MaxPages(limits_)));
  if (!limited) return limited.error();
  const Result<bool> too_large = IsTooLarge();
  if (!too_large) return too_large.error();
  std::optional<WallTime> end;
  if (!*too_large) {
    const Result<WallTime> now = NowForAges();
    if (!now) return now.error();
    end = *now - limits_.keep;
  }
  Result<size_t> removed = open_->rows->RemoveOldest(most, end);
  if (!removed) return removed;
  was_full_ = false;
  if (*removed == 0) return removed;
  Result<void> merged =
      open_->rows->MergeWords(*too_large ? kMergePagesForSpace : kMergePages);
  if (!merged) return merged.error();
  return removed;
}

// True if it gave pages back.
Result<bool> HistoryFile::Shrink() {
  const Result<Pages> pages = CountPages();
  if (!pages) return pages.error();
  const int64_t kept = pages->all > MaxPages(limits_)
                           ? 0
                           : std::max(kMinVacuumPages, pages->all / 4);
  const bool due = pages->free > kept;
  if (!due) return false;
  const Result<void> shrunk = open_->file.Run(
      "PRAGMA incremental_vacuum(" + std::to_string(kVacuumPages) + ")");
  if (!shrunk) return shrunk.error();
  return true;
}

Result<void> HistoryFile::Sync() {
  const SteadyTime now = clock_.SteadyNow();
  if (now - synced_at_ < kSyncInterval) return {};
  synced_at_ = now;
  return open_->file.Run("PRAGMA wal_checkpoint(PASSIVE)");
}

Result<void> HistoryFile::Measure() {
  const Result<std::optional<WallTime>> oldest = open_->rows->Oldest();
  if (!oldest) return oldest.error();
  status_.SetSizes(SizeOf(path_) + SizeOf(path_ + "-wal"),
                   open_->rows->events(), oldest->value_or(WallTime()));
  return {};
}

}  // namespace kem

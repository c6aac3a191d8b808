#include "state/state_load.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <vector>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rfc3339.h"
#include "state/ledger_log.h"
#include "state/state_files.h"

namespace kem {
namespace {

// The numbers of all journals beside `path`, in order.
Result<std::vector<uint64_t>> Journals(FileSystem& files,
                                       const std::string& path) {
  std::string stem = JournalPath(path.substr(path.rfind('/') + 1), 0);
  stem.pop_back();
  std::vector<uint64_t> numbers;
  const Result<std::vector<std::string>> names = files.List(FolderOf(path));
  if (!names) return names.error();
  for (const std::string& name : *names) {
    if (!name.starts_with(stem)) continue;
    uint64_t number = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] =
        std::from_chars(name.data() + stem.size(), end, number);
    if (error == std::errc() && stop == end) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

// "20261123T100746.123Z", as part of a file's name.
std::string Stamp(WallTime now) {
  std::string stamp = FormatRfc3339Millis(now);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp;
}

// Renames the state and its journals. The error is a sentence.
std::optional<std::string> MoveAside(FileSystem& files, const std::string& path,
                                     const std::string& aside) {
  const Result<void> renamed = files.Rename(path, aside);
  if (!renamed) return renamed.error().message;
  const Result<std::vector<uint64_t>> numbers = Journals(files, path);
  if (!numbers) return std::nullopt;
  for (const uint64_t number : *numbers) {
    static_cast<void>(
        files.Rename(JournalPath(path, number), JournalPath(aside, number)));
  }
  return std::nullopt;
}

Error Malformed(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kMalformed, path + " " + why};
}

// Reads the files of one state, and builds a ledger from them.
class Loader {
 public:
  Loader(FileSystem& files, const std::string& path, LoadedState& state)
      : files_(files), path_(path), state_(state) {}

  // Loads the snapshot; with an empty `origin` it is only read. kNotFound when
  // there is none, kMalformed when it is not a whole one of this origin.
  Result<void> ReadSnapshot(const std::string& origin);
  // Replays the journals that continue it, at most `limit` batches. False when
  // a batch does not fit the ledger, which is then unusable; `batches` is the
  // number before it.
  bool ReplayJournals(const std::vector<uint64_t>& numbers, size_t limit,
                      size_t& batches);

 private:
  Result<void> TakePiece(std::string_view piece, const std::string& origin);
  bool ReplayJournal(BatchReader& reader, const std::string& file, size_t limit,
                     size_t& batches);

  FileSystem& files_;
  const std::string& path_;
  LoadedState& state_;
  bool unread_ = false;
};

Result<void> Loader::ReadSnapshot(const std::string& origin) {
  state_.ledger.reset();
  Result<BatchReader> reader =
      BatchReader::Open(files_, path_, StateFile::kSnapshot);
  if (!reader) return reader.error();
  state_.digest = reader->after();
  state_.snapshot_bytes = reader->size();
  state_.journal_bytes = 0;
  state_.files = {path_};
  std::string piece;
  while (true) {
    const Result<BatchReader::Next> next = reader->Read(piece);
    if (!next) return next.error();
    if (*next == BatchReader::Next::kEnd && reader->left() == 0) break;
    if (*next == BatchReader::Next::kCut) {
      return Malformed(path_, "is cut off: it has " +
                                  std::to_string(reader->size()) + " bytes");
    }
    if (*next != BatchReader::Next::kBatch) {
      return Malformed(path_, "is damaged: a checksum is wrong");
    }
    if (Result<void> took = TakePiece(piece, origin); !took) return took;
  }
  if (origin.empty() || (state_.ledger && state_.ledger->FinishLoad())) {
    return {};
  }
  return Malformed(path_, "is damaged: its content is inconsistent");
}

// The first piece is the head.
Result<void> Loader::TakePiece(std::string_view piece,
                               const std::string& origin) {
  if (origin.empty()) return {};
  if (state_.ledger) {
    if (state_.ledger->LoadPiece(piece)) return {};
  } else {
    ByteReader from(piece);
    const std::string_view other = from.Text();
    if (from.ok() && other != origin) {
      return Malformed(path_, "is the state of " + std::string(other) +
                                  ", not of " + origin);
    }
    state_.ledger = Ledger::Load(from.Raw(from.left()));
    if (state_.ledger) return {};
  }
  return Malformed(path_, "is damaged: its content is inconsistent");
}

bool Loader::ReplayJournals(const std::vector<uint64_t>& numbers, size_t limit,
                            size_t& batches) {
  for (const uint64_t number : numbers) {
    const std::string file = JournalPath(path_, number);
    Result<BatchReader> reader =
        BatchReader::Open(files_, file, StateFile::kJournal);
    if (!reader) {
      unread_ = unread_ || reader.error().code == ErrorCode::kInternal;
      continue;
    }
    // Else it follows steps that are lost, or another state.
    if (reader->after() != state_.digest) continue;
    if (!ReplayJournal(*reader, file, limit, batches)) return false;
  }
  if (unread_) state_.files.clear();
  return true;
}

bool Loader::ReplayJournal(BatchReader& reader, const std::string& file,
                           size_t limit, size_t& batches) {
  std::string steps;
  for (; batches < limit; ++batches) {
    const Result<BatchReader::Next> next = reader.Read(steps);
    unread_ = unread_ || !next;
    if (!next || *next != BatchReader::Next::kBatch) break;
    if (!Replay(steps, *state_.ledger)) {
      LogError("Journal does not match the snapshot, ignoring its end",
               {{"file", file}});
      return false;
    }
    state_.digest = reader.digest();
  }
  state_.files.push_back(file);
  state_.journal_bytes += reader.size() - reader.left();
  if (reader.left() > 0) {
    LogWarn("Journal ends in an incomplete batch, ignoring that",
            {{"file", file}, {"bytes", reader.left()}});
  }
  return true;
}

}  // namespace

LoadedState LoadState(FileSystem& files, const std::string& path,
                      const std::string& origin, const SeriesOptions& options,
                      const Clock& clock) {
  LoadedState state;
  const Result<std::vector<uint64_t>> numbers = Journals(files, path);
  if (numbers && !numbers->empty()) state.number = numbers->back();
  if (const auto marker = files.Open(MarkerPath(path)); marker) {
    state.complete = *marker != nullptr;
  }
  Loader loader(files, path, state);
  Result<void> loaded = loader.ReadSnapshot(origin);
  for (size_t limit = SIZE_MAX, batches = 0;
       loaded && numbers && !loader.ReplayJournals(*numbers, limit, batches);
       batches = 0) {
    limit = batches;
    loaded = loader.ReadSnapshot(origin);
  }
  if (loaded) {
    if (!numbers) state.files.clear();
    state.result = StateLoad::kLoaded;
    return state;
  }
  state.ledger = std::make_unique<Ledger>(options, Hasher());
  state.files.clear();
  if (loaded.error().code == ErrorCode::kNotFound) return state;
  state.result = StateLoad::kUnusable;
  const std::string aside = path + ".unusable-" + Stamp(clock.WallNow());
  const std::optional<std::string> failed = MoveAside(files, path, aside);
  if (failed) state.read_only = *failed;
  LogError(
      "State is unusable, starting without it",
      {{"why", loaded.error().message}, {"kept_as", failed ? path : aside}});
  return state;
}

Result<void> CheckStateFile(FileSystem& files, const std::string& path) {
  if (const auto writable = files.CheckFolder(FolderOf(path)); !writable) {
    return Error{writable.error().code, "--state.file " + path + ": " +
                                            writable.error().message +
                                            "; mount a writable volume there"};
  }
  LoadedState state;
  const Result<void> read = Loader(files, path, state).ReadSnapshot("");
  if (!read && read.error().code != ErrorCode::kNotFound) {
    return Error{
        read.error().code,
        "--state.file: " + read.error().message +
            "; starting would move it aside and lose what was counted"};
  }
  return {};
}

std::string BeginSnapshotOf(Ledger& ledger, const std::string& origin) {
  std::string head;
  ByteWriter to(head);
  to.Text(origin);
  to.Raw(ledger.BeginSave());
  return head;
}

void RemoveJournals(FileSystem& files, const std::string& path,
                    uint64_t number) {
  const Result<std::vector<uint64_t>> numbers = Journals(files, path);
  if (!numbers) return;
  for (const uint64_t other : *numbers) {
    if (other == number) continue;
    static_cast<void>(files.Remove(JournalPath(path, other)));
  }
}

}  // namespace kem

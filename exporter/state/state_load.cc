#include "state/state_load.h"

#include <algorithm>
#include <charconv>
#include <chrono>
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

using std::chrono::nanoseconds;

// The numbers of all journals beside `path`, in order; none when the folder
// cannot be read.
std::vector<uint64_t> Journals(FileSystem& files, const std::string& path) {
  std::string stem = JournalPath(path.substr(path.rfind('/') + 1), 0);
  stem.pop_back();
  std::vector<uint64_t> numbers;
  const Result<std::vector<std::string>> names = files.List(FolderOf(path));
  if (!names) return numbers;
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
  for (const uint64_t number : Journals(files, path)) {
    static_cast<void>(
        files.Rename(JournalPath(path, number), JournalPath(aside, number)));
  }
  return std::nullopt;
}

struct Parts {
  std::string_view origin;
  Moment saved;
  std::string_view ledger;
};

std::optional<Parts> Split(std::string_view payload) {
  ByteReader from(payload);
  Parts parts;
  parts.origin = from.Text();
  parts.saved.steady = from.Steady(nanoseconds(0));
  parts.saved.wall = from.Wall();
  parts.ledger = from.Raw(from.left());
  if (!from.ok()) return std::nullopt;
  return parts;
}

// From the steady clock of the process that saved to this one's. A wall clock
// that went back counts as one that did not move.
nanoseconds Shift(const Moment& saved, const Moment& now) {
  const auto passed =
      std::max(now.wall - saved.wall, std::chrono::microseconds(0));
  return now.steady - passed - saved.steady;
}

struct Snapshot {
  std::string payload;
  uint64_t mark = 0;
};

// kNotFound when there is none, kMalformed when it is not a whole one.
Result<Snapshot> ReadSnapshot(FileSystem& files, const std::string& path) {
  Result<BatchReader> reader =
      BatchReader::Open(files, path, StateFile::kSnapshot);
  if (!reader) return reader.error();
  Snapshot snapshot;
  snapshot.mark = reader->after();
  std::string piece;
  while (true) {
    const Result<BatchReader::Next> next = reader->Read(piece);
    if (!next) return next.error();
    if (*next == BatchReader::Next::kBatch) {
      snapshot.payload += piece;
      continue;
    }
    if (*next == BatchReader::Next::kEnd && reader->left() == 0) {
      return snapshot;
    }
    return Error{ErrorCode::kMalformed,
                 path + (*next == BatchReader::Next::kCut
                             ? " is cut off: it has " +
                                   std::to_string(reader->size()) + " bytes"
                             : " is damaged: a checksum is wrong")};
  }
}

// Replays the journals that continue the snapshot, at most `limit` batches.
// False when a batch does not fit the ledger, which is then unusable; `batches`
// is the number before it.
bool ReplayJournals(FileSystem& files, const std::string& path,
                    const std::vector<uint64_t>& numbers, size_t limit,
                    nanoseconds shift, LoadedState& state, size_t& batches) {
  std::string steps;
  for (const uint64_t number : numbers) {
    const std::string file = JournalPath(path, number);
    Result<BatchReader> reader =
        BatchReader::Open(files, file, StateFile::kJournal);
    // A journal that follows steps that are lost, or of an earlier state.
    if (!reader || reader->after() != state.mark) continue;
    while (batches < limit) {
      const Result<BatchReader::Next> next = reader->Read(steps);
      if (!next || *next != BatchReader::Next::kBatch) break;
      if (!Replay(steps, shift, *state.ledger)) {
        LogError("Journal does not match the snapshot, ignoring its end",
                 {{"file", file}});
        return false;
      }
      state.mark = reader->mark();
      ++batches;
    }
    if (reader->left() > 0) {
      LogWarn("Journal ends in an incomplete batch, ignoring that",
              {{"file", file}, {"bytes", reader->left()}});
    }
  }
  return true;
}

// Sets the ledger and its mark; leaves no ledger when the bytes are none.
void Build(FileSystem& files, const Snapshot& snapshot, const Parts& parts,
           const std::string& path, const std::vector<uint64_t>& numbers,
           const Clock& clock, LoadedState& state) {
  const nanoseconds shift = Shift(parts.saved, clock.Now());
  size_t limit = SIZE_MAX;
  while (true) {
    state.ledger = Ledger::Load(parts.ledger, shift);
    state.mark = snapshot.mark;
    size_t batches = 0;
    if (!state.ledger || ReplayJournals(files, path, numbers, limit, shift,
                                        state, batches)) {
      return;
    }
    limit = batches;
  }
}

}  // namespace

LoadedState LoadState(FileSystem& files, const std::string& path,
                      const std::string& origin, const SeriesOptions& options,
                      const Clock& clock) {
  LoadedState state;
  const std::vector<uint64_t> numbers = Journals(files, path);
  if (!numbers.empty()) state.number = numbers.back();
  const Result<Snapshot> snapshot = ReadSnapshot(files, path);
  std::string problem;
  if (!snapshot && snapshot.error().code != ErrorCode::kNotFound) {
    problem = snapshot.error().message;
  } else if (snapshot) {
    const std::optional<Parts> parts = Split(snapshot->payload);
    if (parts && parts->origin != origin) {
      problem = path + " is the state of " + std::string(parts->origin) +
                ", not of " + origin;
    } else if (parts) {
      Build(files, *snapshot, *parts, path, numbers, clock, state);
    }
    if (!state.ledger && problem.empty()) {
      problem = path + " is damaged: its content is inconsistent";
    }
  }
  if (state.ledger) {
    state.ledger->SetOptions(options);
    state.result = StateLoad::kLoaded;
    return state;
  }
  state.ledger = std::make_unique<Ledger>(options, Hasher());
  if (problem.empty()) return state;
  state.result = StateLoad::kUnusable;
  const std::string aside = path + ".unusable-" + Stamp(clock.WallNow());
  const std::optional<std::string> failed = MoveAside(files, path, aside);
  if (failed) state.read_only = *failed;
  LogError("State is unusable, starting without it",
           {{"why", problem}, {"kept_as", failed ? path : aside}});
  return state;
}

Result<void> CheckStateFile(FileSystem& files, const std::string& path) {
  if (const auto writable = files.CheckFolder(FolderOf(path)); !writable) {
    return Error{writable.error().code,
                 "--state.file " + path + ": " + writable.error().message +
                     "; mount a writable volume there"};
  }
  const auto snapshot = ReadSnapshot(files, path);
  if (!snapshot && snapshot.error().code != ErrorCode::kNotFound) {
    return Error{
        snapshot.error().code,
        "--state.file: " + snapshot.error().message +
            "; starting would move it aside and lose what was counted"};
  }
  return {};
}

void SavePayload(const std::string& origin, const Moment& now,
                 const Ledger& ledger, std::string& out) {
  ByteWriter to(out);
  to.Text(origin);
  to.Time(now.steady);
  to.Time(now.wall);
  ledger.Save(out);
}

void RemoveJournals(FileSystem& files, const std::string& path,
                    uint64_t number) {
  for (const uint64_t other : Journals(files, path)) {
    if (other == number) continue;
    static_cast<void>(files.Remove(JournalPath(path, other)));
  }
}

}  // namespace kem

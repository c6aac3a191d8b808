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

// The generations of all journals beside `path`; none when the folder cannot be
// read.
std::vector<uint64_t> Journals(FileSystem& files, const std::string& path) {
  std::string stem = JournalPath(path.substr(path.rfind('/') + 1), 0);
  stem.pop_back();
  std::vector<uint64_t> generations;
  const Result<std::vector<std::string>> names = files.List(FolderOf(path));
  if (!names) return generations;
  for (const std::string& name : *names) {
    if (!name.starts_with(stem)) continue;
    uint64_t generation = 0;
    const char* end = name.data() + name.size();
    const auto [stop, error] =
        std::from_chars(name.data() + stem.size(), end, generation);
    if (error == std::errc() && stop == end) generations.push_back(generation);
  }
  return generations;
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
  for (const uint64_t generation : Journals(files, path)) {
    static_cast<void>(files.Rename(JournalPath(path, generation),
                                   JournalPath(aside, generation)));
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

// The ledger of a snapshot and the journals from its generation on; null when
// the bytes are no ledger. Stops at a journal that does not match: the API
// server sends the rest again.
std::unique_ptr<Ledger> Build(FileSystem& files, const Parts& parts,
                              const std::string& path, uint64_t& generation,
                              const SeriesOptions& options,
                              const Clock& clock) {
  const nanoseconds shift = Shift(parts.saved, clock.Now());
  const auto load = [&] { return Ledger::Load(parts.ledger, shift); };
  std::unique_ptr<Ledger> ledger = load();
  std::string taken;
  for (; ledger; ++generation) {
    const auto journal =
        ReadJournal(files, JournalPath(path, generation), generation);
    if (!journal || !*journal) break;
    if (!Replay((*journal)->steps, shift, *ledger)) {
      LogError("Journal does not match the snapshot, ignoring it",
               {{"file", JournalPath(path, generation)}});
      ledger = load();
      if (!Replay(taken, shift, *ledger)) return nullptr;
      break;
    }
    taken += (*journal)->steps;
    if ((*journal)->torn > 0) {
      LogWarn("Journal ends in an incomplete batch, ignoring that",
              {{"file", JournalPath(path, generation)},
               {"bytes", (*journal)->torn}});
      break;
    }
  }
  if (ledger) ledger->SetOptions(options);
  return ledger;
}

}  // namespace

LoadedState LoadState(FileSystem& files, const std::string& path,
                      const std::string& origin, const SeriesOptions& options,
                      const Clock& clock) {
  LoadedState state;
  for (const uint64_t generation : Journals(files, path)) {
    state.generation = std::max(state.generation, generation);
  }
  const Result<std::optional<Snapshot>> snapshot = ReadSnapshot(files, path);
  std::string problem;
  if (!snapshot) {
    problem = snapshot.error().message;
  } else if (*snapshot) {
    uint64_t generation = (*snapshot)->generation;
    state.generation = std::max(state.generation, generation);
    const std::optional<Parts> parts = Split((*snapshot)->payload);
    if (parts && parts->origin != origin) {
      problem = path + " is the state of " + std::string(parts->origin) +
                ", not of " + origin;
    } else if (parts) {
      state.ledger = Build(files, *parts, path, generation, options, clock);
    }
    if (!state.ledger && problem.empty()) {
      problem = path + " is damaged: its content is inconsistent";
    }
  }
  if (state.ledger) {
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

void SavePayload(const std::string& origin, const Moment& now,
                 const Ledger& ledger, std::string& out) {
  ByteWriter to(out);
  to.Text(origin);
  to.Time(now.steady);
  to.Time(now.wall);
  ledger.Save(out);
}

void RemoveJournals(FileSystem& files, const std::string& path,
                    uint64_t generation) {
  for (const uint64_t other : Journals(files, path)) {
    if (other != generation) {
      static_cast<void>(files.Remove(JournalPath(path, other)));
    }
  }
}

}  // namespace kem

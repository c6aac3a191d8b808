// The two kinds of files that keep the state, as bytes: snapshots, which hold
// everything, and journals, which hold the steps since. Both begin with what
// they are, a version and a generation; a journal carries on the snapshot of
// its generation. Checksummed. Used by StateStore; what the bytes say is the
// ledger's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"

namespace kem {

struct Snapshot {
  uint64_t generation = 0;
  std::string payload;
};

// Writes it whole beside `path`, to the disk itself, and then in its place: a
// reader sees the old one or the new one. The error is one sentence; the old
// one is then still there. The file is for its owner's eyes only, as it holds
// the secret of the keys.
Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot);

// Whether a state could be kept at `path`: its folder can be written, and what
// lies there is nothing or a whole snapshot. Changes nothing. The error is one
// sentence about --state.file.
Result<void> CheckStateFile(const std::string& path);

// Empty when there is none. kMalformed when the bytes are not a whole snapshot
// of a version we know, kInternal when they cannot be read.
Result<std::optional<Snapshot>> ReadSnapshot(const std::string& path);

// Owned by one thread at a time.
class JournalFile {
 public:
  // The journal of this generation, empty, in place of any other there.
  static Result<JournalFile> Create(const std::string& path,
                                    uint64_t generation);

  // Appends one batch of steps: they are read back all or not at all. They
  // outlive the process, though not a power cut. After an error nothing may be
  // appended any more.
  Result<void> Append(std::string_view steps);

  uint64_t size() const { return size_; }

 private:
  JournalFile(std::string path, UniqueFd fd, uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  std::string path_;
  UniqueFd fd_;
  uint64_t size_;
};

// Where the journal of `generation` lies that carries on the snapshot at
// `path`.
std::string JournalPath(const std::string& path, uint64_t generation);

struct JournalContent {
  std::string steps;  // of all whole batches, one after another
  // Bytes after the last whole batch: the process or the machine ended while
  // they were written.
  size_t torn = 0;
};

// Empty when there is none, or when it is not a journal of this generation.
Result<std::optional<JournalContent>> ReadJournal(const std::string& path,
                                                  uint64_t generation);

}  // namespace kem

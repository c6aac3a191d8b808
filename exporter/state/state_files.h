// The two kinds of files that hold the state: a snapshot holds everything, a
// journal the steps after the snapshot of its generation. Both start with a
// magic, a version and the generation, and are checksummed. Used by StateStore;
// the content is the ledger's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/file_system.h"
#include "base/result.h"

namespace kem {

struct Snapshot {
  uint64_t generation = 0;
  std::string payload;
};

// Replaces the file at `path` atomically and durably: a reader sees the old or
// the new one. After an error, one sentence, the old one is still there. Only
// its owner may read the file, because it holds the secret of the keys.
Result<void> WriteSnapshot(FileSystem& files, const std::string& path,
                           const Snapshot& snapshot);

// Whether a state can be kept at `path`: its folder is writable, and the file
// is absent or a whole snapshot. Changes nothing. The error is one sentence
// about
// --state.file.
Result<void> CheckStateFile(FileSystem& files, const std::string& path);

// Empty when there is no file. kMalformed when it is not a whole snapshot of a
// known version, kInternal when it cannot be read.
Result<std::optional<Snapshot>> ReadSnapshot(FileSystem& files,
                                             const std::string& path);

// Owned by one thread at a time.
class JournalFile {
 public:
  // Creates the journal of this generation, or truncates it.
  static Result<JournalFile> Create(FileSystem& files, const std::string& path,
                                    uint64_t generation);

  // Appends one batch of steps, which is read back whole or not at all. It
  // survives the process, but not a power cut. Do not append after an error.
  Result<void> Append(std::string_view steps);

  // Makes what was appended survive a power cut. After an error nothing may be
  // appended: the system may have dropped what it could not write.
  Result<void> Sync() { return file_->Sync(); }

  uint64_t size() const { return size_; }

 private:
  JournalFile(std::unique_ptr<WritableFile> file, uint64_t size)
      : file_(std::move(file)), size_(size) {}

  std::unique_ptr<WritableFile> file_;
  uint64_t size_;
};

// Of the journal of `generation` for the snapshot at `path`.
std::string JournalPath(const std::string& path, uint64_t generation);

struct JournalContent {
  std::string steps;  // of all whole batches
  // Bytes after the last whole batch: writing them was cut off.
  size_t torn = 0;
};

// Empty when there is no journal of this generation.
Result<std::optional<JournalContent>> ReadJournal(FileSystem& files,
                                                  const std::string& path,
                                                  uint64_t generation);

}  // namespace kem

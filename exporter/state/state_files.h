// The two kinds of files that hold the state: a snapshot holds everything, a
// journal the steps since. Both are a head and batches. The checksum of a batch
// is seeded with that of the batch before it, and the head has the seed of the
// first one, so the last checksum, the digest, stands for everything up to
// there. A snapshot's head and a journal's head have the digest of the steps
// that they follow. So steps are only ever read after exactly the steps that
// they followed when they were taken, whatever the disk has lost. Used by
// StateStore and LoadState; the content is the ledger's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/file_system.h"
#include "base/result.h"

namespace kem {

// In the head of a file, as its magic.
enum class StateFile { kSnapshot, kJournal };

// The digest of `batch` after what has the digest `before`.
uint64_t DigestAfter(uint64_t before, std::string_view batch);

// Writes a new file. Owned by one thread at a time.
class BatchWriter {
 public:
  // Creates the file, or empties it.
  static Result<BatchWriter> Create(FileSystem& files, const std::string& path,
                                    StateFile kind, uint64_t after);

  // Appends a batch, not empty, which is read back whole or not at all. It
  // survives the process, but not a power cut. After an error the file ends
  // before the batch, and the next call writes there again.
  Result<void> Append(std::string_view batch) { return Write(batch); }
  // Ends a snapshot, so that a file that was cut off is noticed.
  Result<void> AppendEnd() { return Write({}); }
  // See WritableFile.
  Result<void> Sync() { return file_->Sync(); }
  void WriteBack(uint64_t offset, uint64_t size) {
    file_->WriteBack(offset, size);
  }

  uint64_t size() const { return size_; }
  // Of the last batch.
  uint64_t digest() const { return digest_; }

 private:
  BatchWriter(std::unique_ptr<WritableFile> file, uint64_t size,
              uint64_t digest)
      : file_(std::move(file)), size_(size), digest_(digest) {}
  Result<void> Write(std::string_view batch);

  std::unique_ptr<WritableFile> file_;
  uint64_t size_;
  uint64_t digest_;
};

// Reads a file, one batch at a time. Owned by one thread at a time.
class BatchReader {
 public:
  enum class Next {
    kBatch,
    kEnd,      // of a snapshot
    kCut,      // the file ends, perhaps in an incomplete batch
    kDamaged,  // the batch is not the one that was written there
  };

  // kNotFound when there is no file; kMalformed when it is no state file of
  // this kind and of a known version; else kInternal.
  static Result<BatchReader> Open(FileSystem& files, const std::string& path,
                                  StateFile kind);

  // Sets `batch`. kInternal when the file cannot be read.
  Result<Next> Read(std::string& batch);

  // Of what the first batch follows.
  uint64_t after() const { return after_; }
  // Of the last batch that was read.
  uint64_t digest() const { return digest_; }
  uint64_t size() const { return file_->size(); }
  // Bytes that were not read.
  uint64_t left() const { return file_->size() - offset_; }

 private:
  BatchReader(std::unique_ptr<ReadableFile> file, uint64_t after);

  std::unique_ptr<ReadableFile> file_;
  uint64_t after_;
  uint64_t digest_;
  uint64_t offset_;
};

// Journals are read in the order of their numbers, beside the snapshot at
// `path`.
std::string JournalPath(const std::string& path, uint64_t number);
// Of the empty file that exists while the snapshot and the journals have all
// that was exposed. On a full disk it can still be removed.
std::string MarkerPath(const std::string& path);

}  // namespace kem

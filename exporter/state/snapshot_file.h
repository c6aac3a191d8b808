// Writes one snapshot beside the last one, in pieces, and puts it in its place.
// Used by StateStore, which decides when. The content is the ledger's.
//
// Owned by one thread. After an error, call Abandon: the last snapshot is
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"
#include "state/state_files.h"

namespace kem {

class SnapshotFile {
 public:
  // For the snapshot at `path`. `files` must outlive this.
  SnapshotFile(FileSystem& files, const std::string& path)
      : files_(files), path_(path), beside_(path + ".tmp") {}

  // Creates the file. `digest` is that of the steps that the snapshot has.
  Result<void> Begin(uint64_t digest);
  // Appends a piece; LoadState reads it back as one.
  Result<void> Append(std::string_view piece);
  // Has the disk write a part, so that Finish takes little time. False when
  // it has all.
  bool Settle();
  // Ends the file and replaces the last snapshot, durably.
  Result<void> Finish();
  // Removes the file: its space may be what the disk lacks.
  void Abandon();

  // Whether it is in the place of the last one, even if not durably.
  bool in_place() const { return in_place_; }
  // Bytes written.
  uint64_t size() const { return writer_ ? writer_->size() : 0; }

 private:
  FileSystem& files_;
  const std::string path_;
  const std::string beside_;
  std::optional<BatchWriter> writer_;
  uint64_t settled_ = 0;
  bool in_place_ = false;
};

}  // namespace kem

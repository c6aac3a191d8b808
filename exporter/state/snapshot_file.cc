#include "state/snapshot_file.h"

#include <utility>

namespace kem {
namespace {

constexpr uint64_t kSettledAtOnce = uint64_t{1} << 20;

}  // namespace

Result<void> SnapshotFile::Begin(uint64_t digest) {
  Result<BatchWriter> writer =
      BatchWriter::Create(files_, beside_, StateFile::kSnapshot, digest);
  if (!writer) return writer.error();
  writer_.emplace(std::move(*writer));
  return {};
}

Result<void> SnapshotFile::Append(std::string_view piece) {
  return writer_->Append(piece);
}

bool SnapshotFile::Settle() {
  if (settled_ >= size()) return false;
  writer_->WriteBack(settled_, kSettledAtOnce);
  settled_ += kSettledAtOnce;
  return true;
}

Result<void> SnapshotFile::Finish() {
  if (Result<void> ended = writer_->AppendEnd(); !ended) return ended;
  if (Result<void> synced = writer_->Sync(); !synced) return synced;
  if (Result<void> renamed = files_.Rename(beside_, path_); !renamed) {
    return renamed;
  }
  in_place_ = true;
  return files_.SyncFolder(FolderOf(path_));
}

void SnapshotFile::Abandon() {
  const bool created = writer_.has_value();
  writer_.reset();
  if (created && !in_place_) static_cast<void>(files_.Remove(beside_));
}

}  // namespace kem

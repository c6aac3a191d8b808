#include "state/state_files.h"

#include <utility>

#include "base/bytes.h"
#include "base/hash.h"

namespace kem {
namespace {

constexpr std::string_view kSnapshotMagic = "KEMSTATE";
constexpr std::string_view kJournalMagic = "KEMSTEPS";
constexpr uint32_t kVersion = 1;
// Magic, version, generation; a snapshot's size and checksum follow.
constexpr size_t kHeadBytes = 8 + 4 + 8;
constexpr size_t kBatchHeadBytes = 4 + 8;

std::string Head(std::string_view magic, uint64_t generation) {
  std::string head;
  ByteWriter to(head);
  to.Raw(magic);
  to.Integer<uint32_t>(kVersion);
  to.Integer<uint64_t>(generation);
  return head;
}

// Empty when there is no such file.
Result<std::optional<std::string>> ReadWhole(FileSystem& files,
                                             const std::string& path) {
  const Result<std::unique_ptr<ReadableFile>> file = files.Open(path);
  if (!file) return file.error();
  if (*file == nullptr) return std::optional<std::string>();
  Result<std::string> bytes = (*file)->Read(0, (*file)->size());
  if (!bytes) return bytes.error();
  return std::optional<std::string>(std::move(*bytes));
}

Error Unusable(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kMalformed, path + " " + why};
}

}  // namespace

Result<void> WriteSnapshot(FileSystem& files, const std::string& path,
                           const Snapshot& snapshot) {
  std::string head = Head(kSnapshotMagic, snapshot.generation);
  ByteWriter to(head);
  to.Integer<uint64_t>(snapshot.payload.size());
  to.Integer<uint64_t>(Checksum(snapshot.payload, snapshot.generation));
  const std::string beside = path + ".tmp";
  const auto write = [&]() -> Result<void> {
    const Result<std::unique_ptr<WritableFile>> file = files.Create(beside);
    if (!file) return file.error();
    Result<void> wrote = (*file)->Write(0, head);
    if (wrote) wrote = (*file)->Write(head.size(), snapshot.payload);
    if (wrote) wrote = (*file)->Sync();
    return wrote;
  };
  if (Result<void> wrote = write(); !wrote) {
    // Its space may be what the disk lacks.
    static_cast<void>(files.Remove(beside));
    return wrote;
  }
  if (Result<void> renamed = files.Rename(beside, path); !renamed) {
    return renamed;
  }
  static_cast<void>(files.SyncFolder(FolderOf(path)));
  return {};
}

Result<void> CheckStateFile(FileSystem& files, const std::string& path) {
  if (const auto writable = files.CheckFolder(FolderOf(path)); !writable) {
    return Error{writable.error().code,
                 "--state.file " + path + ": " + writable.error().message +
                     "; mount a writable volume there"};
  }
  if (const auto snapshot = ReadSnapshot(files, path); !snapshot) {
    return Error{
        snapshot.error().code,
        "--state.file: " + snapshot.error().message +
            "; starting would move it aside and lose what was counted"};
  }
  return {};
}

Result<std::optional<Snapshot>> ReadSnapshot(FileSystem& files,
                                             const std::string& path) {
  Result<std::optional<std::string>> bytes = ReadWhole(files, path);
  if (!bytes) return bytes.error();
  if (!*bytes) return std::optional<Snapshot>();
  ByteReader from(**bytes);
  if (from.Raw(kSnapshotMagic.size()) != kSnapshotMagic) {
    return Unusable(path, "is not a state of kube-event-metrics");
  }
  const auto version = from.Integer<uint32_t>();
  if (from.ok() && version > kVersion) {
    return Unusable(path, "was written by a newer kube-event-metrics (format " +
                              std::to_string(version) + ", known is " +
                              std::to_string(kVersion) + ")");
  }
  Snapshot snapshot;
  snapshot.generation = from.Integer<uint64_t>();
  const auto size = from.Integer<uint64_t>();
  const auto checksum = from.Integer<uint64_t>();
  if (!from.ok() || from.left() < size) {
    return Unusable(path, "is cut off: it has " +
                              std::to_string(bytes->value().size()) + " bytes");
  }
  const std::string_view payload = from.Raw(from.left());
  if (version != kVersion || payload.size() != size ||
      Checksum(payload, snapshot.generation) != checksum) {
    return Unusable(path, "is damaged: its checksum is wrong");
  }
  snapshot.payload = std::move(**bytes).substr(kHeadBytes + 16);
  return std::optional<Snapshot>(std::move(snapshot));
}

Result<JournalFile> JournalFile::Create(FileSystem& files,
                                        const std::string& path,
                                        uint64_t generation) {
  Result<std::unique_ptr<WritableFile>> file = files.Create(path);
  if (!file) return file.error();
  if (auto wrote = (*file)->Write(0, Head(kJournalMagic, generation)); !wrote) {
    return wrote.error();
  }
  return JournalFile(std::move(*file), kHeadBytes);
}

Result<void> JournalFile::Append(std::string_view steps) {
  std::string batch;
  batch.reserve(kBatchHeadBytes + steps.size());
  ByteWriter to(batch);
  to.Integer<uint32_t>(static_cast<uint32_t>(steps.size()));
  // Seeded by the offset, so that a batch is valid only there.
  to.Integer<uint64_t>(Checksum(steps, size_));
  to.Raw(steps);
  if (auto wrote = file_->Write(size_, batch); !wrote) return wrote;
  size_ += batch.size();
  return {};
}

std::string JournalPath(const std::string& path, uint64_t generation) {
  return path + ".journal-" + std::to_string(generation);
}

Result<std::optional<JournalContent>> ReadJournal(FileSystem& files,
                                                  const std::string& path,
                                                  uint64_t generation) {
  const Result<std::optional<std::string>> bytes = ReadWhole(files, path);
  if (!bytes) return bytes.error();
  if (!*bytes || !bytes->value().starts_with(Head(kJournalMagic, generation))) {
    return std::optional<JournalContent>();
  }
  const std::string_view all = **bytes;
  JournalContent content;
  size_t at = kHeadBytes;
  while (at < all.size()) {
    ByteReader from(all.substr(at));
    const auto size = from.Integer<uint32_t>();
    const auto checksum = from.Integer<uint64_t>();
    const std::string_view steps = from.Raw(size);
    if (!from.ok() || Checksum(steps, at) != checksum) break;
    content.steps.append(steps);
    at += kBatchHeadBytes + size;
  }
  content.torn = all.size() - at;
  return std::optional<JournalContent>(std::move(content));
}

}  // namespace kem

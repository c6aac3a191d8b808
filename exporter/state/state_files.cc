#include "state/state_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

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

Error FileError(std::string_view what, const std::string& path) {
  return Error{ErrorCode::kInternal, "cannot " + std::string(what) + " " +
                                         path + ": " + SystemMessage(errno)};
}

std::string Head(std::string_view magic, uint64_t generation) {
  std::string head;
  ByteWriter to(head);
  to.Raw(magic);
  to.Integer<uint32_t>(kVersion);
  to.Integer<uint64_t>(generation);
  return head;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return true;
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Makes a rename durable.
void SyncFolder(const std::string& path) {
  const UniqueFd fd(
      ::open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.has_value()) ::fsync(fd.get());
}

UniqueFd OpenToWrite(const std::string& path) {
  return UniqueFd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
}

// Empty when there is no such file.
Result<std::optional<std::string>> ReadWhole(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.has_value()) {
    if (errno == ENOENT) return std::optional<std::string>();
    return FileError("read", path);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return FileError("read", path);
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kInternal, path + " is not a regular file"};
  }
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  return std::optional<std::string>(std::move(bytes));
}

Error Unusable(const std::string& path, const std::string& why) {
  return Error{ErrorCode::kMalformed, path + " " + why};
}

}  // namespace

Result<void> WriteSnapshot(const std::string& path, const Snapshot& snapshot) {
  std::string head = Head(kSnapshotMagic, snapshot.generation);
  ByteWriter to(head);
  to.Integer<uint64_t>(snapshot.payload.size());
  to.Integer<uint64_t>(Checksum(snapshot.payload, snapshot.generation));
  const std::string beside = path + ".tmp";
  UniqueFd fd = OpenToWrite(beside);
  if (!fd.has_value()) return FileError("write", beside);
  if (!WriteAll(fd.get(), head) || !WriteAll(fd.get(), snapshot.payload) ||
      ::fsync(fd.get()) != 0) {
    Error error = FileError("write", beside);
    // Its space may be what the disk lacks.
    ::unlink(beside.c_str());
    return error;
  }
  fd.Reset();
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return FileError("replace", path);
  }
  SyncFolder(path);
  return {};
}

Result<void> CheckStateFile(const std::string& path) {
  const std::string folder = FolderOf(path);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    Error error = FileError("write to", folder);
    error.message = "--state.file " + path + ": " + error.message +
                    "; mount a writable volume there";
    return error;
  }
  if (const auto snapshot = ReadSnapshot(path); !snapshot) {
    return Error{
        snapshot.error().code,
        "--state.file: " + snapshot.error().message +
            "; starting would move it aside and lose what was counted"};
  }
  return {};
}

Result<std::optional<Snapshot>> ReadSnapshot(const std::string& path) {
  Result<std::optional<std::string>> bytes = ReadWhole(path);
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

Result<JournalFile> JournalFile::Create(const std::string& path,
                                        uint64_t generation) {
  UniqueFd fd = OpenToWrite(path);
  if (!fd.has_value() || !WriteAll(fd.get(), Head(kJournalMagic, generation))) {
    return FileError("write", path);
  }
  return JournalFile(path, std::move(fd), kHeadBytes);
}

Result<void> JournalFile::Append(std::string_view steps) {
  std::string batch;
  batch.reserve(kBatchHeadBytes + steps.size());
  ByteWriter to(batch);
  to.Integer<uint32_t>(static_cast<uint32_t>(steps.size()));
  // Seeded by the offset, so that a batch is valid only there.
  to.Integer<uint64_t>(Checksum(steps, size_));
  to.Raw(steps);
  if (!WriteAll(fd_.get(), batch)) return FileError("write", path_);
  size_ += batch.size();
  return {};
}

Result<void> JournalFile::Sync() {
  if (::fdatasync(fd_.get()) != 0) return FileError("sync", path_);
  return {};
}

std::string JournalPath(const std::string& path, uint64_t generation) {
  return path + ".journal-" + std::to_string(generation);
}

Result<std::optional<JournalContent>> ReadJournal(const std::string& path,
                                                  uint64_t generation) {
  const Result<std::optional<std::string>> bytes = ReadWhole(path);
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

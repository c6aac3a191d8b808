#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/unique_fd.h"

namespace kem {
namespace {

Error FileError(std::string_view what, const std::string& path) {
  return Error{ErrorCode::kInternal, "cannot " + std::string(what) + " " +
                                         path + ": " + SystemMessage(errno)};
}

class DiskWritableFile : public WritableFile {
 public:
  DiskWritableFile(std::string path, UniqueFd fd)
      : path_(std::move(path)), fd_(std::move(fd)) {}

  Result<void> Write(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t wrote = ::pwrite(fd_.get(), bytes.data(), bytes.size(),
                                     static_cast<off_t>(offset));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return FileError("write", path_);
      bytes.remove_prefix(static_cast<size_t>(wrote));
      offset += static_cast<uint64_t>(wrote);
    }
    return {};
  }

  Result<void> Sync() override {
    if (::fdatasync(fd_.get()) != 0) return FileError("sync", path_);
    return {};
  }

  void WriteBack(uint64_t offset, uint64_t size) override {
    ::sync_file_range(fd_.get(), static_cast<off64_t>(offset),
                      static_cast<off64_t>(size),
                      SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }

 private:
  const std::string path_;
  const UniqueFd fd_;
};

class DiskReadableFile : public ReadableFile {
 public:
  DiskReadableFile(std::string path, UniqueFd fd, uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}

  uint64_t size() const override { return size_; }

  Result<std::string> Read(uint64_t offset, size_t size) override {
    if (offset > size_) return std::string();
    std::string bytes(std::min<uint64_t>(size, size_ - offset), '\0');
    size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got =
          ::pread(fd_.get(), bytes.data() + done, bytes.size() - done,
                  static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return FileError("read", path_);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

 private:
  const std::string path_;
  const UniqueFd fd_;
  const uint64_t size_;
};

class DiskFileLock : public FileLock {
 public:
  explicit DiskFileLock(UniqueFd fd) : fd_(std::move(fd)) {}

 private:
  const UniqueFd fd_;
};

}  // namespace

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::unique_ptr<WritableFile>> DiskFileSystem::Create(
    const std::string& path) {
  UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd.has_value()) return FileError("write", path);
  return std::unique_ptr<WritableFile>(
      std::make_unique<DiskWritableFile>(path, std::move(fd)));
}

Result<std::unique_ptr<ReadableFile>> DiskFileSystem::Open(
    const std::string& path) {
  // Does not wait for the writer of a pipe.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.has_value()) {
    if (errno == ENOENT) return std::unique_ptr<ReadableFile>();
    return FileError("read", path);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return FileError("read", path);
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kInternal, path + " is not a regular file"};
  }
  return std::unique_ptr<ReadableFile>(std::make_unique<DiskReadableFile>(
      path, std::move(fd), static_cast<uint64_t>(status.st_size)));
}

Result<void> DiskFileSystem::Rename(const std::string& from,
                                    const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return Error{ErrorCode::kInternal, "cannot rename " + from + " to " + to +
                                         ": " + SystemMessage(errno)};
}

Result<void> DiskFileSystem::Remove(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return FileError("remove", path);
}

Result<std::vector<std::string>> DiskFileSystem::List(
    const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()),
                                                 ::closedir);
  if (!open) return FileError("list", folder);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(open.get());
    if (entry != nullptr) {
      names.emplace_back(entry->d_name);
    } else if (errno != 0) {
      return FileError("list", folder);
    } else {
      return names;
    }
  }
}

Result<void> DiskFileSystem::SyncFile(const std::string& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.has_value() || ::fdatasync(fd.get()) != 0) {
    return FileError("sync", path);
  }
  return {};
}

Result<void> DiskFileSystem::SyncFolder(const std::string& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.has_value() || ::fsync(fd.get()) != 0) {
    return FileError("sync", folder);
  }
  return {};
}

Result<void> DiskFileSystem::CheckFolder(const std::string& folder) {
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return FileError("write to", folder);
  }
  return {};
}

Result<std::unique_ptr<FileLock>> DiskFileSystem::Lock(
    const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.has_value() || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (fd.has_value() && errno == EWOULDBLOCK) {
      return std::unique_ptr<FileLock>();
    }
    return FileError("lock", path);
  }
  return std::unique_ptr<FileLock>(
      std::make_unique<DiskFileLock>(std::move(fd)));
}

}  // namespace kem

// The file system, passed in like the clock, so that a test can make every call
// fail and can drop what is not durable (the model is LevelDB's Env). Used by
// state/, for files that must survive a crash; base/file_reader.h reads the
// files that a user names.
//
// Errors are kInternal and contain the path and the system's message. Any call
// may fail, and any later one may succeed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace kem {

// Owned by one thread at a time. The destructor closes the file.
class WritableFile {
 public:
  virtual ~WritableFile() = default;

  // Writes all bytes at this offset. They survive the process, but not a power
  // cut. After an error some of them may be in the file.
  virtual Result<void> Write(uint64_t offset, std::string_view bytes) = 0;
  // Makes the content survive a power cut, but not the file's name: see
  // FileSystem::SyncFolder. After an error the system may drop what was
  // written, and a later success does not mean that it is durable
  // (https://lwn.net/Articles/752063).
  virtual Result<void> Sync() = 0;
  // Writes a range back, so that a later Sync takes little time. A hint, which
  // makes nothing durable and reports nothing.
  virtual void WriteBack(uint64_t offset, uint64_t size) = 0;
};

// Owned by one thread at a time.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;

  // In bytes, when it was opened.
  virtual uint64_t size() const = 0;
  // `size` bytes from `offset` on, fewer only at the end of the file.
  virtual Result<std::string> Read(uint64_t offset, size_t size) = 0;
};

class FileLock {
 public:
  virtual ~FileLock() = default;
};

// Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // Creates a file, or empties it. Only its owner may read it.
  virtual Result<std::unique_ptr<WritableFile>> Create(
      const std::string& path) = 0;
  // Null when there is no such file. Only regular files are opened.
  virtual Result<std::unique_ptr<ReadableFile>> Open(
      const std::string& path) = 0;
  // Replaces `to` if it exists. Durable after SyncFolder.
  virtual Result<void> Rename(const std::string& from,
                              const std::string& to) = 0;
  // Success when there is no such file.
  virtual Result<void> Remove(const std::string& path) = 0;
  // The names in a folder, in no order.
  virtual Result<std::vector<std::string>> List(const std::string& folder) = 0;
  // WritableFile::Sync for a file that an earlier process wrote.
  virtual Result<void> SyncFile(const std::string& path) = 0;
  // Makes names that were created, renamed and removed in a folder durable.
  virtual Result<void> SyncFolder(const std::string& folder) = 0;
  // Whether files can be created in a folder.
  virtual Result<void> CheckFolder(const std::string& folder) = 0;
  // Locks a file, created when it is absent, until the lock or the process
  // ends. Null when another process has locked it.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
};

// The folder of a path; "." when it has none.
std::string FolderOf(const std::string& path);

// The disk.
class DiskFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> Create(
      const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> Open(const std::string& path) override;
  Result<void> Rename(const std::string& from, const std::string& to) override;
  Result<void> Remove(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;
  Result<void> SyncFile(const std::string& path) override;
  Result<void> SyncFolder(const std::string& folder) override;
  Result<void> CheckFolder(const std::string& folder) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
};

}  // namespace kem

// The disk under SQLite, on which calls fail when a test requests it. Used by
// the tests of the history. While one exists it is SQLite's default.
// Not thread-safe.
#pragma once

#include <sqlite3.h>

#include <cstdint>

namespace kem {

class FailingVfs {
 public:
  // What a failed write leaves.
  enum class Kind { kError, kFull, kShort };

  FailingVfs();
  ~FailingVfs();
  FailingVfs(const FailingVfs&) = delete;
  FailingVfs& operator=(const FailingVfs&) = delete;

  // From the call of this number on, `many` calls fail: opens, reads, writes,
  // syncs, truncations and deletions.
  void FailFrom(uint64_t call, uint64_t many, Kind kind);
  void Heal() { FailFrom(UINT64_MAX, 0, Kind::kError); }
  uint64_t calls() const { return calls_; }
  uint64_t failed() const { return failed_; }

 private:
  struct File;
  struct Methods;

  bool Fails();

  sqlite3_vfs vfs_{};
  sqlite3_vfs* disk_;
  uint64_t calls_ = 0;
  uint64_t failed_ = 0;
  uint64_t first_ = UINT64_MAX;
  uint64_t many_ = 0;
  Kind kind_ = Kind::kError;
};

}  // namespace kem

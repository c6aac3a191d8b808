#include "unit/history/failing_vfs.h"

namespace kem {

struct FailingVfs::File {
  sqlite3_file base;
  FailingVfs* owner;
  // The disk's own file follows.
  sqlite3_file* disk() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

struct FailingVfs::Methods {
  static FailingVfs* Of(sqlite3_vfs* vfs) {
    return static_cast<FailingVfs*>(vfs->pAppData);
  }
  static File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static const sqlite3_io_methods* Disk(sqlite3_file* file) {
    return Of(file)->disk()->pMethods;
  }

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file,
                  int flags, int* out) {
    Of(file)->base.pMethods = nullptr;
    Of(file)->owner = Of(vfs);
    if (Of(vfs)->Fails()) return SQLITE_CANTOPEN;
    const int result = Of(vfs)->disk_->xOpen(Of(vfs)->disk_, name,
                                             Of(file)->disk(), flags, out);
    if (result == SQLITE_OK) Of(file)->base.pMethods = &kIo;
    return result;
  }
  static int Delete(sqlite3_vfs* vfs, const char* name, int sync) {
    if (Of(vfs)->Fails()) return SQLITE_IOERR_DELETE;
    return Of(vfs)->disk_->xDelete(Of(vfs)->disk_, name, sync);
  }
  static int Close(sqlite3_file* file) {
    return Disk(file)->xClose(Of(file)->disk());
  }
  static int Read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    if (Of(file)->owner->Fails()) return SQLITE_IOERR_READ;
    return Disk(file)->xRead(Of(file)->disk(), to, size, at);
  }
  static int Write(sqlite3_file* file, const void* from, int size,
                   sqlite3_int64 at) {
    if (!Of(file)->owner->Fails()) {
      return Disk(file)->xWrite(Of(file)->disk(), from, size, at);
    }
    const Kind kind = Of(file)->owner->kind_;
    if (kind == Kind::kShort) {
      Disk(file)->xWrite(Of(file)->disk(), from, size / 2, at);
    }
    return kind == Kind::kError ? SQLITE_IOERR_WRITE : SQLITE_FULL;
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (Of(file)->owner->Fails()) return SQLITE_IOERR_TRUNCATE;
    return Disk(file)->xTruncate(Of(file)->disk(), size);
  }
  static int Sync(sqlite3_file* file, int flags) {
    if (Of(file)->owner->Fails()) return SQLITE_IOERR_FSYNC;
    return Disk(file)->xSync(Of(file)->disk(), flags);
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Disk(file)->xFileSize(Of(file)->disk(), size);
  }
  static int Lock(sqlite3_file* file, int lock) {
    return Disk(file)->xLock(Of(file)->disk(), lock);
  }
  static int Unlock(sqlite3_file* file, int lock) {
    return Disk(file)->xUnlock(Of(file)->disk(), lock);
  }
  static int CheckReserved(sqlite3_file* file, int* held) {
    return Disk(file)->xCheckReservedLock(Of(file)->disk(), held);
  }
  static int Control(sqlite3_file* file, int what, void* value) {
    return Disk(file)->xFileControl(Of(file)->disk(), what, value);
  }
  static int SectorSize(sqlite3_file* file) {
    return Disk(file)->xSectorSize(Of(file)->disk());
  }
  static int Characteristics(sqlite3_file* file) {
    return Disk(file)->xDeviceCharacteristics(Of(file)->disk());
  }
  static int ShmMap(sqlite3_file* file, int region, int size, int extend,
                    void volatile** at) {
    if (Of(file)->owner->Fails()) return SQLITE_IOERR_SHMMAP;
    return Disk(file)->xShmMap(Of(file)->disk(), region, size, extend, at);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return Disk(file)->xShmLock(Of(file)->disk(), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) {
    Disk(file)->xShmBarrier(Of(file)->disk());
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return Disk(file)->xShmUnmap(Of(file)->disk(), remove);
  }

  static constexpr sqlite3_io_methods kIo = {2,
                                             Close,
                                             Read,
                                             Write,
                                             Truncate,
                                             Sync,
                                             FileSize,
                                             Lock,
                                             Unlock,
                                             CheckReserved,
                                             Control,
                                             SectorSize,
                                             Characteristics,
                                             ShmMap,
                                             ShmLock,
                                             ShmBarrier,
                                             ShmUnmap,
                                             nullptr,
                                             nullptr};
};

FailingVfs::FailingVfs() : disk_(sqlite3_vfs_find(nullptr)) {
  vfs_ = *disk_;
  vfs_.zName = "failing";
  vfs_.pNext = nullptr;
  vfs_.pAppData = this;
  vfs_.szOsFile = disk_->szOsFile + static_cast<int>(sizeof(File));
  vfs_.xOpen = Methods::Open;
  vfs_.xDelete = Methods::Delete;
  sqlite3_vfs_register(&vfs_, 1);
}

FailingVfs::~FailingVfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(disk_, 1);
}

void FailingVfs::FailFrom(uint64_t call, uint64_t many, Kind kind) {
  first_ = call;
  many_ = many;
  kind_ = kind;
  calls_ = 0;
  failed_ = 0;
}

bool FailingVfs::Fails() {
  const uint64_t call = calls_++;
  const bool fails = call >= first_ && call - first_ < many_;
  if (fails) ++failed_;
  return fails;
}

}  // namespace kem

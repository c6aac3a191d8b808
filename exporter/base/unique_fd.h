// Owns a file descriptor and closes it. Used for files, sockets, pipes and
// eventfds. Ignores errors of close, because no caller could handle them.
// Not for files whose writes must be durable: fsync those first.
#pragma once

#include <unistd.h>

#include <utility>

namespace kem {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Reset(); }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    Reset();
    fd_ = other.Release();
    return *this;
  }

  int get() const { return fd_; }  // -1 when there is none
  bool has_value() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) ::close(Release());
  }

 private:
  int fd_ = -1;
};

}  // namespace kem

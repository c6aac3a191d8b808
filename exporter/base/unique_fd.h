// A file descriptor that is closed when its owner goes. Used for sockets and
// wake-ups of this layer. Says nothing about errors of close, which nobody
// could act upon.
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

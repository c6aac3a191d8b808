// One accepted connection's bytes, in TLS or plain, that never waits: each call
// goes as far as it can and says what to wait for. Used by ServerConnection.
// Has no time limits of its own and knows nothing of HTTP.
//
// The process must ignore SIGPIPE: OpenSSL writes with write(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/unique_fd.h"
#include "net/tls.h"

namespace kem {

// Not thread-safe.
class ServerSocket {
 public:
  enum class Io {
    kDone,
    kAgain,   // wait for WaitsFor()
    kClosed,  // the peer ended it, or it broke
  };

  // `fd` is non-blocking. `ssl` is a server session on it, null for plain text.
  ServerSocket(UniqueFd fd, Ssl ssl);

  // kDone at once in plain text.
  Io Handshake();
  // Appends at most `max` bytes.
  Io Read(std::string& into, size_t max);
  // Removes from `rest` what was taken; kDone when that is all of it.
  Io Write(std::string_view& rest);
  // Tells the peer that nothing more will come; it may still be read.
  void EndWriting();
  // Closing will drop what the peer has not read yet, at once.
  void Abort();

  // epoll's EPOLLIN or EPOLLOUT, after kAgain.
  uint32_t WaitsFor() const { return waits_for_; }
  int fd() const { return fd_.get(); }

 private:
  Io Judge(int result);

  UniqueFd fd_;
  Ssl ssl_;
  uint32_t waits_for_ = 0;
};

}  // namespace kem

// The non-blocking socket of an accepted connection, with or without TLS. Used
// by ServerConnection. Has no time limits and does not know HTTP.
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
    kClosed,  // by the peer or by an error
    // Only of Handshake: the peer broke the protocol or was refused, and an
    // alert was sent to it.
    kRefused,
    // Only of Handshake: the peer sends HTTP without TLS.
    kPlainHttp,
  };

  // `fd` is non-blocking. `ssl` is a server session on it, null for plain text.
  ServerSocket(UniqueFd fd, Ssl ssl);

  // kDone without TLS.
  Io Handshake();
  // Why Handshake failed, as a clause.
  const std::string& failure() const { return failure_; }
  // Continues without TLS, after kRefused or kPlainHttp.
  void DropTls() { ssl_.reset(); }
  // Appends at most `max` bytes.
  Io Read(std::string& into, size_t max);
  // Removes the sent bytes from `rest`; kDone when none is left.
  Io Write(std::string_view& rest);
  // Ends the sending direction; reading is still possible.
  void EndWriting();
  // Makes the close a reset, which drops bytes that the peer has not read.
  void Abort();
  // Written bytes that the peer's system has not confirmed.
  size_t Unread() const;
  // Whether the peer has left room for more bytes.
  bool Writable() const;

  // epoll's EPOLLIN or EPOLLOUT, after kAgain.
  uint32_t WaitsFor() const { return waits_for_; }
  int fd() const { return fd_.get(); }

 private:
  Io FromSslError(int result);
  Io FromHandshakeError(int result);

  UniqueFd fd_;
  Ssl ssl_;
  uint32_t waits_for_ = 0;
  std::string failure_;
};

}  // namespace kem

// One TCP or TLS connection for one request: resolve, connect (by a proxy where
// there is one), handshake, read and write, each of them ended at once by a
// stop request and in time by a deadline, and each failure told in words. Used
// by HttplibTransport under cpp-httplib, which then is the HTTP codec only: its
// own sockets cannot be stopped while they connect, hide why they failed, and
// read 4 KiB at a time. One thing cannot be cut short: the system's name
// look-up (getaddrinfo). Its time is resolv.conf's, by default 5 s a server and
// try.
//
// The process must ignore SIGPIPE: OpenSSL writes with write(2).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/io_waiter.h"
#include "base/unique_fd.h"
#include "net/proxy_url.h"
#include "net/server_url.h"
#include "net/tls.h"

namespace kem {

enum class IoEnd {
  kOpen,     // not ended
  kClosed,   // the peer's orderly end
  kFailed,   // a failure of the network, of TLS or of the peer
  kTimeout,  // the peer was silent for too long, or the deadline went by
  kStopped,  // the stop token was used
};

struct ConnectionLimits {
  std::chrono::milliseconds connect{5000};  // TCP, the proxy, TLS: each
  std::chrono::milliseconds write{5000};
  std::chrono::milliseconds read{65000};
  std::chrono::milliseconds deadline{65000};  // for everything, from now
};

// Not thread-safe; only the stop token may be used from elsewhere.
class Connection {
 public:
  Connection(const ConnectionLimits& limits, std::stop_token stop);

  // Connects to the server, trying each of its addresses, with `tls` when the
  // URL says https. False when there is no connection: End() and Message().
  // A plain http server behind an http(s) proxy is not asked for: the proxy is,
  // and the request must name the server (RFC 9112 section 3.2.2).
  bool Open(const ServerUrl& server, const TlsSettings& tls,
            const std::optional<ProxyUrl>& proxy = std::nullopt);

  // 1 to `size` bytes; 0 when the peer closed or -1 otherwise, with End() and
  // Message(). Buffered.
  std::ptrdiff_t Read(char* bytes, size_t size) {
    if (read_from_ == read_to_ && !Fill()) {
      return end_ == IoEnd::kClosed ? 0 : -1;
    }
    return Take(bytes, size);
  }

  // `size`, or -1 with End() and Message(). Success only says that the peer may
  // have heard it all.
  std::ptrdiff_t Write(const char* bytes, size_t size);

  // The connection ends here with this message, if it had not ended before.
  void Fail(IoEnd end, std::string message);

  // Gives the descriptor away, to be closed after the last Read and Write.
  int ReleaseFd();

  IoEnd End() const { return end_; }
  const std::string& Message() const { return message_; }
  // Bytes received in all.
  size_t Received() const { return received_; }

 private:
  std::ptrdiff_t Take(char* bytes, size_t size);
  bool Fill();
  bool Dial(const std::string& host, int port);
  bool ReachProxy(const ProxyUrl& proxy, const ServerUrl& server,
                  const TlsSettings& tls);
  bool Handshake(const std::string& authority, const TlsSettings& tls);
  std::chrono::milliseconds Within(std::chrono::milliseconds limit) const;
  std::ptrdiff_t Receive();
  std::ptrdiff_t Transmit(const char* bytes, size_t size);
  bool WaitFor(short events, std::chrono::milliseconds limit,
               std::string_view doing);
  void FailWait(IoWaiter::Outcome outcome, std::chrono::milliseconds limit,
                std::string_view doing);
  // What to wait for after OpenSSL's `result`; 0 when it cannot go on.
  short TlsWants(int result, std::string_view doing);

  const ConnectionLimits limits_;
  IoWaiter waiter_;
  UniqueFd owned_fd_;
  int fd_ = -1;
  // Of an https proxy, below the server's own; outlives it.
  SslCtx proxy_context_;
  Ssl proxy_ssl_;
  SslCtx context_;
  Ssl ssl_;  // of whom we speak to now
  // While we speak with a proxy: when that must be over.
  std::optional<SteadyTime> until_;
  std::vector<char> buffer_;
  size_t read_from_ = 0;
  size_t read_to_ = 0;
  size_t received_ = 0;
  IoEnd end_ = IoEnd::kOpen;
  std::string message_;
};

}  // namespace kem

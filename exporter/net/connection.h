// One TCP or TLS connection for one request, or for several one after the
// other: connects, also through a proxy, reads and writes. A stop request ends
// each step at once and a deadline ends it in time; every failure has a
// message. Used by ApiTransport; KeptConnection decides on the next request.
//
// The process must ignore SIGPIPE, because OpenSSL writes with write(2).
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
#include "net/resolver.h"
#include "net/server_url.h"
#include "net/tls.h"

namespace kem {

enum class IoEnd {
  kOpen,     // not ended
  kClosed,   // closed by the peer in an orderly way
  kLost,     // closed by the peer otherwise: reset, or without TLS's notice
  kFailed,   // another failure of the network, of TLS or of the peer
  kTimeout,  // the peer was silent for too long, or the deadline passed
  kStopped,  // a stop was requested
};

struct ConnectionLimits {
  std::chrono::milliseconds connect{5000};  // for TCP, the proxy and TLS each
  std::chrono::milliseconds write{5000};
  std::chrono::milliseconds read{65000};
  std::chrono::milliseconds deadline{65000};  // for everything, from now
};

// Not thread-safe; only the stop token may be used from other threads.
class Connection {
 public:
  // `limits` and `stop` are those of the first request. `resolver` must outlive
  // this.
  Connection(const ConnectionLimits& limits, Resolver& resolver,
             std::stop_token stop);

  // Connects to the server, trying each of its addresses, with `tls` when the
  // URL is https. False on failure: see End() and Message(). For a plain http
  // server behind an http(s) proxy it connects to the proxy only: the request
  // must contain the absolute URL (RFC 9112 section 3.2.2).
  bool Open(const ServerUrl& server, const TlsSettings& tls,
            const std::optional<ProxyUrl>& proxy = std::nullopt);

  // Begins the next request on an open connection, with its own limits. False
  // when they or the stop have ended it already.
  bool Renew(const ConnectionLimits& limits, std::stop_token stop);

  // Whether the connection is open and has nothing to read: bytes outside of a
  // response answer no request. Does not block.
  bool IsQuiet();

  // Whether the peer closed the connection before any byte that answers the
  // current request. The peer may have received the request all the same.
  bool IsClosedUnanswered() const {
    return !answered_ && (end_ == IoEnd::kClosed || end_ == IoEnd::kLost);
  }

  // Takes a connected, non-blocking socket in place of Open: the fuzzer's.
  void Adopt(UniqueFd connected);

  // The next 1 to `most` bytes, valid until the next call; empty when the peer
  // closed and after a failure, see End() and Message(). Buffered.
  std::string_view Read(size_t most) {
    if (unread_.empty() && !Fill()) return {};
    const std::string_view bytes = unread_.substr(0, most);
    unread_.remove_prefix(bytes.size());
    return bytes;
  }

  // False on failure: see End() and Message(). True does not mean that the peer
  // received everything.
  bool Write(std::string_view bytes);

  // Ends the connection with this message, unless it has already ended. Returns
  // false.
  bool Fail(IoEnd end, std::string message);

  IoEnd End() const { return end_; }
  const std::string& Message() const { return message_; }

 private:
  bool Fill();
  bool Dial(const std::string& host, int port);
  bool ReachProxy(const ProxyUrl& proxy, const ServerUrl& server,
                  const TlsSettings& tls);
  bool Handshake(const std::string& authority, const TlsSettings& tls);
  std::ptrdiff_t Receive();
  std::ptrdiff_t Transmit(std::string_view bytes);
  bool WaitFor(short events, std::chrono::milliseconds limit,
               std::string_view doing);
  void FailWait(IoWaiter::Outcome outcome, std::chrono::milliseconds limit,
                std::string_view doing);
  // The events to wait for after OpenSSL's `result`; 0 after a failure.
  short TlsWants(int result, std::string_view doing);

  ConnectionLimits limits_;
  Resolver& resolver_;
  std::optional<IoWaiter> waiter_;  // always has a value
  UniqueFd fd_;
  // Of an https proxy; carries the server's session and so outlives it.
  SslCtx proxy_context_;
  Ssl proxy_ssl_;
  SslCtx context_;
  Ssl ssl_;  // of the current peer
  // The end of the current step, until the connection is open.
  std::optional<SteadyTime> until_;
  std::vector<char> buffer_;
  std::string_view unread_;  // in buffer_
  // The last read took all that had arrived, as far as that is known.
  bool drained_ = false;
  bool answered_ = false;  // the current request, by a byte at least
  IoEnd end_ = IoEnd::kOpen;
  std::string message_;
};

}  // namespace kem

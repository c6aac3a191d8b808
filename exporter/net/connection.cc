#include "net/connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/proxy_tunnel.h"
#include "net/tcp_connect.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Large enough that a busy watch costs few system calls.
constexpr size_t kBufferBytes = size_t{64} << 10U;

constexpr std::string_view kReading = "reading";
constexpr std::string_view kSending = "sending";

std::string Seconds(milliseconds duration) {
  const auto count = duration.count();
  if (count % 1000 != 0) return std::to_string(count) + " ms";
  return std::to_string(count / 1000) + " s";
}

bool IsReset(int system_error) {
  return system_error == EPIPE || system_error == ECONNRESET;
}

}  // namespace

Connection::Connection(const ConnectionLimits& limits, Resolver& resolver,
                       std::stop_token stop)
    : limits_(limits), resolver_(resolver) {
  waiter_.emplace(std::move(stop), limits.deadline);
}

bool Connection::Open(const ServerUrl& server, const TlsSettings& tls,
                      const std::optional<ProxyUrl>& proxy) {
  const bool reached =
      proxy ? ReachProxy(*proxy, server, tls) : Dial(server.host, server.port);
  const bool open =
      reached && (!server.tls || Handshake(server.Authority(), tls));
  until_.reset();
  // Silence before there is a connection counts as no connection.
  if (end_ == IoEnd::kTimeout &&
      waiter_->Check() == IoWaiter::Outcome::kReady) {
    end_ = IoEnd::kFailed;
  }
  return open;
}

bool Connection::Renew(const ConnectionLimits& limits, std::stop_token stop) {
  limits_ = limits;
  waiter_.emplace(std::move(stop), limits.deadline);
  answered_ = false;
  FailWait(waiter_->Check(), limits.deadline, kSending);
  return end_ == IoEnd::kOpen;
}

bool Connection::IsQuiet() {
  if (end_ != IoEnd::kOpen || !unread_.empty()) return false;
  char byte = 0;
  if (!ssl_) {
    return ::recv(fd_.get(), &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
  }
  // Also reads what is not data, such as session tickets.
  ERR_clear_error();
  const int got = SSL_peek(ssl_.get(), &byte, 1);
  const bool quiet = got <= 0 &&
                     SSL_get_error(ssl_.get(), got) == SSL_ERROR_WANT_READ &&
                     SSL_has_pending(ssl_.get()) == 0;
  ERR_clear_error();
  return quiet;
}

void Connection::Adopt(UniqueFd connected) {
  fd_ = std::move(connected);
  buffer_.resize(kBufferBytes);
}

bool Connection::Dial(const std::string& host, int port) {
  until_ = steady_clock::now() + limits_.connect;
  TcpConnectOutcome tcp =
      TcpConnect(host, port, limits_.connect, resolver_, *waiter_);
  fd_ = std::move(tcp.fd);
  buffer_.resize(kBufferBytes);
  if (fd_.has_value()) return true;
  const std::string doing =
      "cannot connect to " + BracketHost(host) + ':' + std::to_string(port);
  FailWait(tcp.wait, limits_.connect, doing);
  // Without effect if the wait failed.
  return Fail(IoEnd::kFailed, doing + ": " + tcp.message);
}

bool Connection::ReachProxy(const ProxyUrl& proxy, const ServerUrl& server,
                            const TlsSettings& tls) {
  bool reached = Dial(proxy.host, proxy.port);
  if (reached && proxy.kind == ProxyUrl::Kind::kHttps) {
    // Go verifies a proxy with the kubeconfig's authorities; most proxies have
    // a certificate that the system trusts. The client certificate is only for
    // the server.
    TlsSettings to_proxy;
    to_proxy.server_name = proxy.host;
    to_proxy.insecure_skip_verify = tls.insecure_skip_verify;
    to_proxy.ca_pem = tls.ca_pem;
    to_proxy.system_ca_too = true;
    reached = Handshake(proxy.ToString(), to_proxy);
  }
  if (reached && (server.tls || proxy.kind == ProxyUrl::Kind::kSocks5)) {
    until_ = steady_clock::now() + limits_.connect;
    reached = OpenTunnel(*this, proxy, server);
    if (reached && !unread_.empty()) {
      reached = Fail(IoEnd::kFailed, "it sent data after its response");
    }
    proxy_context_ = std::move(context_);
    proxy_ssl_ = std::move(ssl_);
  }
  if (!reached && end_ != IoEnd::kStopped) {
    message_ = "proxy " + proxy.ToString() + ": " + message_;
  }
  return reached;
}

bool Connection::Handshake(const std::string& authority,
                           const TlsSettings& tls) {
  ERR_clear_error();
  Result<SslCtx> context = MakeTlsContext(tls);
  if (!context) return Fail(IoEnd::kFailed, context.error().message);
  context_ = std::move(*context);
  Result<Ssl> ssl =
      MakeTlsSession(context_.get(), tls, fd_.get(), proxy_ssl_.get());
  if (!ssl) return Fail(IoEnd::kFailed, ssl.error().message);
  ssl_ = std::move(*ssl);
  const std::string doing = "TLS handshake with " + authority;
  until_ = steady_clock::now() + limits_.connect;
  while (true) {
    const int result = SSL_connect(ssl_.get());
    if (result == 1) {
      drained_ = false;  // the session may have read more
      return true;
    }
    const short events = TlsWants(result, doing);
    if (events == 0 || !WaitFor(events, limits_.connect, doing)) return false;
  }
}

short Connection::TlsWants(int result, std::string_view doing) {
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return POLLIN;
    case SSL_ERROR_WANT_WRITE:
      return POLLOUT;
    case SSL_ERROR_ZERO_RETURN:
      Fail(IoEnd::kClosed, "the server closed the connection");
      return 0;
    default:
      break;
  }
  const unsigned long reason = ERR_peek_error();
  const bool lost =
      IsReset(system_error) ||
      (ERR_GET_LIB(reason) == ERR_LIB_SSL &&
       ERR_GET_REASON(reason) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
  std::string why = TlsFailure(ssl_.get());
  if (why.empty() && system_error != 0) why = SystemMessage(system_error);
  if (why.empty()) why = "the connection was lost";
  Fail(lost ? IoEnd::kLost : IoEnd::kFailed, std::string(doing) + ": " + why);
  return 0;
}

bool Connection::Fill() {
  if (end_ != IoEnd::kOpen) return false;
  // Another read after one that took everything would only find that out. The
  // deadline also applies to a stream that never pauses.
  if ((drained_ || waiter_->Check() != IoWaiter::Outcome::kReady) &&
      !WaitFor(POLLIN, limits_.read, kReading)) {
    return false;
  }
  while (true) {
    const std::ptrdiff_t got = Receive();
    if (got > 0) {
      answered_ = true;
      unread_ = {buffer_.data(), static_cast<size_t>(got)};
      drained_ = ssl_ ? SSL_has_pending(ssl_.get()) == 0 && !proxy_ssl_
                      : unread_.size() < buffer_.size();
      return true;
    }
    if (got < 0 || !WaitFor(POLLIN, limits_.read, kReading)) return false;
  }
}

// Bytes received, 0 when there are none yet, -1 when the connection ended.
std::ptrdiff_t Connection::Receive() {
  if (ssl_) {
    ERR_clear_error();
    errno = 0;
    const int got =
        SSL_read(ssl_.get(), buffer_.data(), static_cast<int>(buffer_.size()));
    if (got > 0) return got;
    const short events = TlsWants(got, kReading);
    if (events == 0) return -1;
    // TLS may have to send first, for example a key update.
    if (events == POLLOUT && !WaitFor(POLLOUT, limits_.write, kSending)) {
      return -1;
    }
    return 0;
  }
  const ssize_t got = ::recv(fd_.get(), buffer_.data(), buffer_.size(), 0);
  if (got > 0) return got;
  if (got == 0) {
    Fail(IoEnd::kClosed, "the server closed the connection");
    return -1;
  }
  if (errno == EAGAIN || errno == EINTR) return 0;
  Fail(IsReset(errno) ? IoEnd::kLost : IoEnd::kFailed, SystemMessage(errno));
  return -1;
}

bool Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    errno = 0;
    short events = POLLOUT;
    const std::ptrdiff_t sent = Transmit(bytes);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    // The server may have sent the reason before it closed: read on.
    if (IsReset(errno)) return true;
    if (ssl_) {
      events = TlsWants(static_cast<int>(sent), kSending);
    } else if (errno != EAGAIN && errno != EINTR) {
      return Fail(IoEnd::kFailed, SystemMessage(errno));
    }
    if (events == 0 || !WaitFor(events, limits_.write, kSending)) return false;
  }
  return true;
}

std::ptrdiff_t Connection::Transmit(std::string_view bytes) {
  if (!ssl_) {
    return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ERR_clear_error();
  return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

bool Connection::WaitFor(short events, milliseconds limit,
                         std::string_view doing) {
  const milliseconds within =
      until_ ? std::min(limit, std::chrono::ceil<milliseconds>(
                                   *until_ - steady_clock::now()))
             : limit;
  const IoWaiter::Outcome outcome = waiter_->Wait(fd_.get(), events, within);
  if (outcome == IoWaiter::Outcome::kReady) return true;
  FailWait(outcome, limit, doing);
  return false;
}

void Connection::FailWait(IoWaiter::Outcome outcome, milliseconds limit,
                          std::string_view doing) {
  switch (outcome) {
    case IoWaiter::Outcome::kReady:
      break;
    case IoWaiter::Outcome::kStopped:
      Fail(IoEnd::kStopped, "stopped");
      break;
    case IoWaiter::Outcome::kDeadline:
      Fail(IoEnd::kTimeout, std::string(doing) + ": timed out after " +
                                Seconds(limits_.deadline));
      break;
    case IoWaiter::Outcome::kTimeout:
      Fail(IoEnd::kTimeout,
           std::string(doing) +
               (until_ ? ": timed out after " + Seconds(limits_.connect)
                       : ": no progress for " + Seconds(limit)));
      break;
  }
}

bool Connection::Fail(IoEnd end, std::string message) {
  if (end_ != IoEnd::kOpen) return false;
  end_ = end;
  message_ = std::move(message);
  return false;
}

}  // namespace kem

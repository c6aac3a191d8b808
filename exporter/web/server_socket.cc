#include "web/server_socket.h"

#include <linux/sockios.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

namespace kem {

ServerSocket::ServerSocket(UniqueFd fd, Ssl ssl)
    : fd_(std::move(fd)), ssl_(std::move(ssl)) {}

ServerSocket::Io ServerSocket::FromSslError(int result) {
  const int why = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
    return Io::kClosed;
  }
  waits_for_ = why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT;
  return Io::kAgain;
}

ServerSocket::Io ServerSocket::Handshake() {
  if (!ssl_) return Io::kDone;
  ERR_clear_error();
  const int result = SSL_accept(ssl_.get());
  return result == 1 ? Io::kDone : FromHandshakeError(result);
}

ServerSocket::Io ServerSocket::FromHandshakeError(int result) {
  const int why = SSL_get_error(ssl_.get(), result);
  if (why != SSL_ERROR_SSL) {
    failure_ = "the client closed the connection";
    return FromSslError(result);
  }
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_REASON(error);
  const bool http =
      ERR_GET_LIB(error) == ERR_LIB_SSL &&
      (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST);
  failure_ = TlsFailure(ssl_.get());
  return http ? Io::kPlainHttp : Io::kRefused;
}

ServerSocket::Io ServerSocket::Read(std::string& into, size_t max) {
  std::array<char, 4096> buffer;
  const size_t size = std::min(max, buffer.size());
  if (ssl_) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(size));
    if (got <= 0) return FromSslError(got);
    into.append(buffer.data(), static_cast<size_t>(got));
    return Io::kDone;
  }
  const ssize_t got = ::recv(fd_.get(), buffer.data(), size, 0);
  if (got > 0) {
    into.append(buffer.data(), static_cast<size_t>(got));
    return Io::kDone;
  }
  waits_for_ = EPOLLIN;
  return got < 0 && (errno == EAGAIN || errno == EINTR) ? Io::kAgain
                                                        : Io::kClosed;
}

ServerSocket::Io ServerSocket::Write(std::string_view& rest) {
  while (!rest.empty()) {
    if (ssl_) {
      ERR_clear_error();
      const int size = static_cast<int>(std::min<size_t>(rest.size(), INT_MAX));
      const int sent = SSL_write(ssl_.get(), rest.data(), size);
      if (sent <= 0) return FromSslError(sent);
      rest.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    const ssize_t sent =
        ::send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      rest.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EINTR) {
      waits_for_ = EPOLLOUT;
      return Io::kAgain;
    } else {
      return Io::kClosed;
    }
  }
  return Io::kDone;
}

void ServerSocket::EndWriting() {
  if (ssl_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  ::shutdown(fd_.get(), SHUT_WR);
}

bool ServerSocket::Writable() const {
  pollfd room{fd_.get(), POLLOUT, 0};
  return ::poll(&room, 1, 0) > 0;
}

size_t ServerSocket::Unread() const {
  int unread = 0;
  return ::ioctl(fd_.get(), SIOCOUTQ, &unread) == 0
             ? static_cast<size_t>(unread)
             : 0;
}

void ServerSocket::Abort() {
  const linger none{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

}  // namespace kem

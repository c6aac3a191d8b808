#include "web/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "net/resolver.h"
#include "web/http_loop.h"

namespace kem {
namespace {

// The kernel doubles it. Without a limit it grows to megabytes for a client
// that does not read, and a container's memory limit counts them.
constexpr int kSendBufferBytes = 128 << 10;

// A SIGTERM waits for the start.
constexpr std::chrono::seconds kLookUpLimit{5};

void SetOption(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

int PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&bound)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

// Not SO_REUSEPORT: a second exporter would get half of the scrapes.
// Accepted sockets inherit the other options.
UniqueFd BindTo(const SocketAddress& to) {
  const int family = to.get()->sa_family;
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.has_value()) return fd;
  SetOption(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  SetOption(fd.get(), SOL_SOCKET, SO_SNDBUF, kSendBufferBytes);
  SetOption(fd.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (family == AF_INET6) {
    SetOption(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  if (::bind(fd.get(), to.get(), to.size) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    fd.Reset();
  }
  return fd;
}

UniqueFd BindTo(const std::string& host, int port) {
  IoWaiter waiter({}, kLookUpLimit);
  const Resolver::Answer found = Resolver().Resolve(host, waiter);
  for (const SocketAddress& one : found.host.addresses) {
    UniqueFd fd = BindTo(one.WithPort(port));
    if (fd.has_value()) return fd;
  }
  return UniqueFd();
}

struct Listener {
  UniqueFd fd;          // non-blocking, close-on-exec
  std::string address;  // with the real port
};

// Resolves the host, binds and listens.
Result<Listener> Listen(const ListenAddress& address) {
  // "::" accepts IPv4 too; a kernel without IPv6 needs "0.0.0.0".
  std::string host = address.host.empty() ? "::" : address.host;
  UniqueFd fd = BindTo(host, address.port);
  if (!fd.has_value() && address.host.empty()) {
    host = "0.0.0.0";
    fd = BindTo(host, address.port);
  }
  if (!fd.has_value()) {
    return Error{ErrorCode::kInternal,
                 "cannot listen on " + BracketHost(host) + ":" +
                     std::to_string(address.port) +
                     ": the port is in use or the address is not one of this "
                     "machine; set another --web.listen-address"};
  }
  std::string bound =
      BracketHost(host) + ":" + std::to_string(PortOf(fd.get()));
  return Listener{std::move(fd), std::move(bound)};
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpServerOptions& options, HttpContent content, HttpStats& stats) {
  std::unique_ptr<WebSettingsFile> settings;
  if (!options.web_config_file.empty()) {
    auto opened = WebSettingsFile::Open(options.web_config_file);
    if (!opened) return opened.error();
    settings = std::move(*opened);
  }
  Result<Listener> listener = Listen(options.address);
  if (!listener) return listener.error();
  auto loop = std::make_unique<HttpLoop>(std::move(listener->fd), options,
                                         std::move(content), stats,
                                         std::move(settings));
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::move(listener->address), std::move(loop)));
}

HttpServer::HttpServer(std::string address, std::unique_ptr<HttpLoop> loop)
    : address_(std::move(address)),
      loop_(std::move(loop)),
      thread_([this](std::stop_token stop) { loop_->Run(std::move(stop)); }) {}

HttpServer::~HttpServer() = default;

}  // namespace kem

#include "net/tcp_connect.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "base/error.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct AddressesDeleter {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesDeleter>;

Addresses Resolve(const std::string& host, int port, std::string& message) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    message = "cannot look up " + host + ": " + ::gai_strerror(error);
    return nullptr;
  }
  return Addresses(found);
}

void SetOption(int fd, int level, int name, int value) {
  // Failures are ignored: all of these are optional.
  ::setsockopt(fd, level, name, &value, sizeof(value));
}

void SetOptions(int fd) {
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  SetOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 60000);
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

// Connects to one address; `outcome` has the socket or the failure.
void TryAddress(const addrinfo& address, SteadyTime until, IoWaiter& waiter,
                TcpConnectOutcome& outcome) {
  UniqueFd fd(::socket(address.ai_family,
                       address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       address.ai_protocol));
  if (!fd.has_value()) {
    outcome.message = "cannot create a socket: " + SystemMessage(errno);
    return;
  }
  SetOptions(fd.get());
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) {
      outcome.message = SystemMessage(errno);
      return;
    }
    const auto left =
        std::chrono::ceil<milliseconds>(until - steady_clock::now());
    outcome.wait = waiter.Wait(fd.get(), POLLOUT, left);
    if (outcome.wait != IoWaiter::Outcome::kReady) return;
    int error = 0;
    socklen_t size = sizeof(error);
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 ||
        error != 0) {
      outcome.message = SystemMessage(error);
      return;
    }
  }
  outcome.fd = std::move(fd);
}

}  // namespace

TcpConnectOutcome TcpConnect(const std::string& host, int port,
                             milliseconds limit, IoWaiter& waiter) {
  TcpConnectOutcome outcome;
  outcome.wait = waiter.Check();
  if (outcome.wait != IoWaiter::Outcome::kReady) return outcome;
  const Addresses addresses = Resolve(host, port, outcome.message);
  int count = 0;
  for (const addrinfo* at = addresses.get(); at; at = at->ai_next) ++count;
  // Each address gets an equal share of the time left, so that a dead one does
  // not use up all of it.
  const SteadyTime until = steady_clock::now() + limit;
  for (const addrinfo* at = addresses.get(); at; at = at->ai_next, --count) {
    const SteadyTime now = steady_clock::now();
    outcome.wait = IoWaiter::Outcome::kReady;
    TryAddress(*at, now + (until - now) / count, waiter, outcome);
    if (outcome.fd.has_value() || outcome.wait == IoWaiter::Outcome::kStopped ||
        outcome.wait == IoWaiter::Outcome::kDeadline) {
      break;
    }
  }
  return outcome;
}

}  // namespace kem

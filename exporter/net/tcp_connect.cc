#include "net/tcp_connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/error.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

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
void TryAddress(const SocketAddress& address, SteadyTime until,
                IoWaiter& waiter, TcpConnectOutcome& outcome) {
  UniqueFd fd(::socket(address.get()->sa_family,
                       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       IPPROTO_TCP));
  if (!fd.has_value()) {
    outcome.message = "cannot create a socket: " + SystemMessage(errno);
    return;
  }
  SetOptions(fd.get());
  if (::connect(fd.get(), address.get(), address.size) != 0) {
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
                             milliseconds limit, Resolver& resolver,
                             IoWaiter& waiter) {
  TcpConnectOutcome outcome;
  outcome.wait = waiter.Check();
  if (outcome.wait != IoWaiter::Outcome::kReady) return outcome;
  const Resolver::Answer found = resolver.Resolve(host, waiter);
  outcome.wait = found.wait;
  if (!found.host.problem.empty()) {
    outcome.message = "cannot look up " + host + ": " + found.host.problem;
  }
  auto left = static_cast<int>(found.host.addresses.size());
  // Each address gets an equal share of the time left, so that a dead one does
  // not use up all of it.
  const SteadyTime until = steady_clock::now() + limit;
  for (const SocketAddress& address : found.host.addresses) {
    const SteadyTime now = steady_clock::now();
    outcome.wait = IoWaiter::Outcome::kReady;
    TryAddress(address.WithPort(port), now + (until - now) / left--, waiter,
               outcome);
    if (outcome.fd.has_value() || outcome.wait == IoWaiter::Outcome::kStopped ||
        outcome.wait == IoWaiter::Outcome::kDeadline) {
      break;
    }
  }
  return outcome;
}

}  // namespace kem

// Looks up the addresses of host names so that a caller can give up at any
// time: each look-up runs on a thread of its own. Used by Connection, and by
// HttpServer for its own address. Keeps the system's rules, such as the hosts
// file and search domains, because it calls getaddrinfo, which nothing can
// interrupt. No cache.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/io_waiter.h"

namespace kem {

struct SocketAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
  // The same address with another port.
  SocketAddress WithPort(int port) const;
};

struct HostAddresses {
  std::vector<SocketAddress> addresses;  // port 0; in the order to try
  std::string problem;                   // why there are none
};

class Resolver {
 public:
  // Blocks for as long as the name servers need; called on threads that
  // nothing waits for. Must be thread-safe, and must not use what may be gone
  // at the end of the process.
  using LookUp = std::function<HostAddresses(const std::string& host)>;

  // The longest wait. With the defaults of resolv.conf (5 s, 2 tries) it is
  // enough for three name servers of which two are dead.
  static constexpr std::chrono::seconds kLimit{30};

  explicit Resolver(LookUp look_up = SystemLookUp());

  struct Answer {
    HostAddresses host;
    // How the wait ended; kReady also for a failed look-up and after kLimit.
    IoWaiter::Outcome wait = IoWaiter::Outcome::kReady;
  };
  // Waits at most kLimit, and not past a stop or the deadline of `waiter`. A
  // literal address needs no look-up. One look-up of a name is in progress at a
  // time, however many callers wait or gave up, so that a name server that
  // hangs takes one thread a name. The next caller gets what a look-up found
  // that all its callers gave up. Thread-safe.
  Answer Resolve(const std::string& host, IoWaiter& waiter);

  // getaddrinfo.
  static LookUp SystemLookUp();

 private:
  struct Pending;
  struct Shared;

  std::shared_ptr<Pending> Join(const std::string& host, std::string& problem);

  // The threads share it, and may outlive this.
  const std::shared_ptr<Shared> shared_;
};

}  // namespace kem

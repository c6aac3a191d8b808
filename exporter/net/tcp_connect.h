// Connects to a host and port by TCP, on non-blocking sockets. A stop request
// ends it at once, the name look-up too. Used by Connection. TLS and HTTP are
// the caller's.
#pragma once

#include <chrono>
#include <string>

#include "base/io_waiter.h"
#include "base/unique_fd.h"
#include "net/resolver.h"

namespace kem {

struct TcpConnectOutcome {
  UniqueFd fd;  // non-blocking, close-on-exec; none after a failure
  // How the last wait ended; kReady also when the system reported the failure.
  IoWaiter::Outcome wait = IoWaiter::Outcome::kReady;
  std::string message;
};

// Looks up `host` within Resolver::kLimit, then tries its addresses in order
// until one accepts, for `limit` in all. Keepalive detects a dead peer
// within 60 s (client-go uses HTTP/2 pings).
TcpConnectOutcome TcpConnect(const std::string& host, int port,
                             std::chrono::milliseconds limit,
                             Resolver& resolver, IoWaiter& waiter);

}  // namespace kem

// A TCP connection to a host and port, that a stop request ends at once and
// that notices a dead peer. Used by Connection. Knows neither TLS nor HTTP; the
// name look-up (getaddrinfo) is the one wait it cannot cut short.
#pragma once

#include <chrono>
#include <string>

#include "base/io_waiter.h"
#include "base/unique_fd.h"

namespace kem {

struct TcpConnectOutcome {
  UniqueFd fd;  // non-blocking, close-on-exec; none when it failed
  // How the last wait ended; kReady also for failures told by the system.
  IoWaiter::Outcome wait = IoWaiter::Outcome::kReady;
  std::string message;
};

// Looks `host` up and tries its addresses in order until one answers, for
// `limit` in all. The socket notices a dead peer by keepalive within 60 s
// (client-go gets the same from HTTP/2 pings).
TcpConnectOutcome TcpConnect(const std::string& host, int port,
                             std::chrono::milliseconds limit, IoWaiter& waiter);

}  // namespace kem

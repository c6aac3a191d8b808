// A connection between two requests, of a sink or for the Lease. Decides
// whether the next request may use it: not when the server has closed it or
// announced to, not when certificates or authorities have changed, and not
// after an hour, so that new addresses of the server are found. Used by
// ApiTransport. Sends nothing.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "net/connection.h"
#include "net/tls.h"

namespace kem {

struct OpenConnection {
  std::unique_ptr<Connection> connection;
  TlsSettings tls;  // that it was opened with
  SteadyTime opened;
};

// Not thread-safe.
class KeptConnection {
 public:
  // From the opening to the last new request, busy or idle. There is no other
  // limit for an idle connection: TCP keepalive finds a dead one within 60 s
  // and refreshes the entries of NAT devices, and servers close theirs. Envoy
  // keeps idle connections for the same hour (idle_timeout of
  // HttpProtocolOptions); Go for 90 s, which is a handshake for each Event of a
  // quiet cluster (net/http DefaultTransport.IdleConnTimeout).
  static constexpr std::chrono::hours kLifetime{1};
  // Taken off the server's own idle timeout, because both clocks start apart.
  static constexpr std::chrono::seconds kMargin{1};

  // Passes the connection to the caller if a request at `now` that needs `tls`
  // may use it, else closes it. Does not block.
  std::optional<OpenConnection> Take(const TlsSettings& tls, SteadyTime now);

  // Keeps a connection whose response was read to its end and announced no
  // close; `idle_timeout` is the server's.
  void Keep(OpenConnection open,
            std::optional<std::chrono::seconds> idle_timeout, SteadyTime now);

 private:
  std::optional<OpenConnection> kept_;
  SteadyTime until_;
};

}  // namespace kem

#include "net/kept_connection.h"

#include <algorithm>
#include <utility>

namespace kem {

std::optional<OpenConnection> KeptConnection::Take(const TlsSettings& tls,
                                                   SteadyTime now) {
  std::optional<OpenConnection> open = std::exchange(kept_, std::nullopt);
  if (open &&
      (now >= until_ || open->tls != tls || !open->connection->IsQuiet())) {
    open.reset();
  }
  return open;
}

void KeptConnection::Keep(OpenConnection open,
                          std::optional<std::chrono::seconds> idle_timeout,
                          SteadyTime now) {
  until_ = open.opened + kLifetime;
  if (idle_timeout) until_ = std::min(until_, now + *idle_timeout - kMargin);
  kept_ = std::move(open);
}

}  // namespace kem

// The server's listening socket, bound to --web.listen-address. Used by
// HttpServer, which passes it to HttpLoop. Does not accept connections; the
// socket options that it sets are inherited by them.
#pragma once

#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "config/listen_address.h"

namespace kem {

struct Listener {
  UniqueFd fd;          // non-blocking, close-on-exec
  std::string address;  // with the real port: "127.0.0.1:43210"
};

// Resolves the host, binds and listens. The error is kInternal, one clause
// that names the address.
Result<Listener> Listen(const ListenAddress& address);

}  // namespace kem

// The words by which a proxy is asked for a way to the API server: CONNECT of
// HTTP/1.1, and SOCKS5 (RFC 1928, 1929). Used by Connection on the connection
// to the proxy; after success its bytes are the server's. Looks nothing up: the
// proxy resolves the name, as with Go.
#pragma once

#include "net/proxy_url.h"
#include "net/server_url.h"

namespace kem {

class Connection;

// False when there is no way; `connection` has then ended and says why, never
// with a password in it.
bool OpenTunnel(Connection& connection, const ProxyUrl& proxy,
                const ServerUrl& server);

}  // namespace kem

// Opens a tunnel to a server through a proxy: CONNECT of HTTP/1.1, or SOCKS5
// (RFC 1928, 1929). Used by Connection on its connection to the proxy. Resolves
// no names: the proxy does, as with Go.
#pragma once

#include "net/proxy_url.h"
#include "net/server_url.h"

namespace kem {

class Connection;

// On success the bytes on `connection` are the server's. False on failure;
// `connection` has then ended with a message that contains no password.
bool OpenTunnel(Connection& connection, const ProxyUrl& proxy,
                const ServerUrl& server);

}  // namespace kem

// The proxy between us and the API server, from a kubeconfig's proxy-url or the
// environment, with Go's rules (client-go tools/clientcmd/helpers.go,
// golang.org/x/net/http/httpproxy). Used by ResolveAccess, which reads it, and
// Connection, which goes through it. Pure functions; never a password in an
// error.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/environment.h"
#include "base/result.h"
#include "net/server_url.h"

namespace kem {

struct ProxyUrl {
  enum class Kind { kHttp, kHttps, kSocks5 };
  Kind kind = Kind::kHttp;
  std::string host;  // an IPv6 address stands here without its brackets
  int port = 80;
  std::string username;
  std::string password;

  bool HasCredentials() const { return !username.empty() || !password.empty(); }
  // "http://proxy:3128", without user name and password.
  std::string ToString() const;
  // The Proxy-Authorization header's value; empty without credentials.
  std::string Authorization() const;
};

// Reads "http://[user[:password]@]host[:port]", https:// or socks5://. The
// error is a clause that does not quote the text.
Result<ProxyUrl> ParseProxyUrl(std::string_view text);

// Whether the host is localhost or an address of the loopback interface: what
// is sent there crosses no network.
bool IsThisMachine(const ServerUrl& server);

// The proxy that the environment gives for `server`, if any: https_proxy or
// HTTPS_PROXY (http_proxy, HTTP_PROXY for a plain server), unless the host is
// this machine's or NO_PROXY names it by name, domain, address or CIDR. The
// error names the variable.
Result<std::optional<ProxyUrl>> ProxyFromEnvironment(
    const ServerUrl& server, const Environment& environment);

}  // namespace kem

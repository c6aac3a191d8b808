// The proxy to the API server, from a kubeconfig's proxy-url or the
// environment, by Go's rules (client-go tools/clientcmd/helpers.go,
// golang.org/x/net/http/httpproxy). Used by ResolveAccess and Connection. Pure
// functions, thread-safe; errors contain no password.
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
  std::string host;  // IPv6 without brackets
  int port = 80;
  std::string username;
  std::string password;

  bool HasCredentials() const { return !username.empty() || !password.empty(); }
  // "http://proxy:3128", without user name and password.
  std::string ToString() const;
  // The Proxy-Authorization header's value; empty without credentials.
  std::string Authorization() const;
};

// Parses "http://[user[:password]@]host[:port]", https:// or socks5:// (or
// socks5h://, which is the same: the proxy resolves names). The error is a
// clause that does not quote the text.
Result<ProxyUrl> ParseProxyUrl(std::string_view text);

// Whether the host is localhost or a loopback address, so that traffic to it
// does not leave this machine.
bool IsThisMachine(const ServerUrl& server);

// The proxy that the environment sets for `server`, if any: HTTPS_PROXY, else
// https_proxy (HTTP_PROXY, http_proxy for a plain server), except for this
// machine and for hosts that NO_PROXY lists by name, domain, address or CIDR.
// The error names the variable.
Result<std::optional<ProxyUrl>> ProxyFromEnvironment(
    const ServerUrl& server, const Environment& environment);

}  // namespace kem

// The URL of an API server or collector, and the address of the exporter's own
// web server, parsed at start. Used by ResolveAccess, the transport and the
// flags. Not a general URL: queries and fragments are dropped, as by client-go.
// Pure functions, thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kem {

struct ServerUrl {
  bool tls = true;
  std::string host;  // IPv6 without brackets, with a zone: "fe80::1%eth0"
  int port = 443;
  std::string path_prefix;  // "" or "/k8s/clusters/c-1": no slash at its end
  // "user:password", decoded; empty when the URL has none.
  std::string user_info = {};

  // "host:port", IPv6 in brackets.
  std::string Authority() const;
  // "https://host:port/prefix", without user name and password.
  std::string ToString() const;
};

// Parses "https://[user[:password]@]host[:port][/prefix]". As in client-go
// (rest.DefaultServerURL), a bare "host[:port]" is https with `default_tls`
// (the kubeconfig has TLS settings), else http. The error is a clause without
// the place and without the password.
Result<ServerUrl> ParseServerUrl(std::string_view text, bool default_tls);

// A URL, valid or not, for a message: "***" replaces what may be a password.
std::string WithoutCredentials(std::string_view url);

// The value of --web.listen-address.
struct ListenAddress {
  std::string host;  // empty for all interfaces; IPv6 without brackets
  int port = 0;      // 0 for a free one
};

// Parses "host:port", ":port" or "[::1]:port". The error is a clause that
// begins with the text.
Result<ListenAddress> ParseListenAddress(const std::string& text);

// Splits "host", "host:80", "[::1]", "[::1]:80" or "[fe80::1%25eth0]:80", as
// Go's net/url; without a port, as in "host:", `port` is unchanged. False for
// anything else.
bool SplitHostPort(std::string_view authority, std::string& host, int& port);

// The host as in a URL: an IPv6 address in brackets.
std::string BracketHost(const std::string& host);

// An IPv6 address without its zone, which means something only on this machine.
// Anything else is unchanged.
std::string WithoutZone(const std::string& host);

// True for an IPv4 or IPv6 address without brackets.
bool IsIpAddress(const std::string& host);

}  // namespace kem

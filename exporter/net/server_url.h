// The API server's address, taken apart once at start. Used by ResolveAccess,
// which reads it, and the transport, which connects to it. Not a general URL:
// no user names, no query, no fragment.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace kem {

struct ServerUrl {
  bool tls = true;
  std::string host;  // an IPv6 address stands here without its brackets
  int port = 443;
  std::string path_prefix;  // "" or "/k8s/clusters/c-1": no slash at its end

  // "host:port" as it stands in a Host header or a log, IPv6 in brackets.
  std::string Authority() const;
  // "https://host:port/prefix".
  std::string ToString() const;
};

// Reads "https://host[:port][/prefix]". As in client-go (rest.DefaultServerURL)
// a bare "host[:port]" is https when `default_tls` (the kubeconfig says how to
// verify or identify), else http. The error is a clause without the place.
Result<ServerUrl> ParseServerUrl(std::string_view text, bool default_tls);

// Splits "host", "host:80", "[::1]" or "[::1]:80"; `port` stays as it is where
// there is none. False when it is no such thing.
bool SplitHostPort(std::string_view authority, std::string& host, int& port);

// The host as it stands in a URL: an IPv6 address in brackets.
std::string BracketHost(const std::string& host);

// True for an IPv4 or IPv6 address without brackets.
bool IsIpAddress(const std::string& host);

}  // namespace kem

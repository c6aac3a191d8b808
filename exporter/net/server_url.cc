#include "net/server_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"

namespace kem {
namespace {

Error UrlError(std::string_view text, const char* why) {
  return InvalidConfig(Quoted(WithoutCredentials(text)) + " " + why);
}

// Moves "user:password@" from the front of `authority` to `user_info`, decoded.
bool TakeUserInfo(std::string_view& authority, std::string& user_info) {
  const size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return true;
  std::string_view rest = authority.substr(0, at);
  authority.remove_prefix(at + 1);
  if (rest.empty()) return true;
  const auto user = PercentDecode(TakeUntil(rest, ':'));
  const auto password = PercentDecode(rest);
  if (!user || !password) return false;
  user_info = *user + ':' + *password;
  return true;
}

// "%25" and letters as those of a host name: no interface of Linux needs
// others.
bool TakeZone(std::string_view text, std::string& host) {
  constexpr std::string_view kMark = "%25";
  if (text.empty()) return true;
  if (!text.starts_with(kMark)) return false;
  const auto zone = PercentDecode(text.substr(kMark.size()));
  const auto valid = [](char c) {
    return IsAsciiAlphanumeric(c) || c == '-' || c == '.' || c == '_';
  };
  if (!zone || zone->empty() ||
      !std::all_of(zone->begin(), zone->end(), valid)) {
    return false;
  }
  host += '%' + *zone;
  return true;
}

}  // namespace

std::string WithoutCredentials(std::string_view url) {
  const size_t at = url.rfind('@');
  return at == std::string_view::npos ? std::string(url)
                                      : "***" + std::string(url.substr(at));
}

std::string ServerUrl::Authority() const {
  return BracketHost(host) + ':' + std::to_string(port);
}

std::string ServerUrl::ToString() const {
  return (tls ? "https://" : "http://") + Authority() + path_prefix;
}

Result<ServerUrl> ParseServerUrl(std::string_view text, bool default_tls) {
  ServerUrl url;
  std::string_view rest = text;
  const size_t scheme_end = rest.find("://");
  if (scheme_end == std::string_view::npos) {
    url.tls = default_tls;
  } else {
    const std::string scheme = AsciiLower(rest.substr(0, scheme_end));
    if (scheme != "https" && scheme != "http") {
      return UrlError(text, "does not begin with https:// or http://");
    }
    url.tls = scheme == "https";
    rest.remove_prefix(scheme_end + 3);
  }
  if (!IsVisibleAscii(rest) || rest.find('\\') != std::string_view::npos) {
    return UrlError(text, "has a blank or another character that no URL has");
  }
  rest = rest.substr(0, rest.find_first_of("?#"));
  url.port = url.tls ? 443 : 80;
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  if (!TakeUserInfo(authority, url.user_info)) {
    return UrlError(text, "has a user name that is not percent-encoded");
  }
  if (!SplitHostPort(authority, url.host, url.port)) {
    return UrlError(text, "has no valid host and port");
  }
  url.path_prefix = rest.substr(slash);
  url.path_prefix.erase(url.path_prefix.find_last_not_of('/') + 1);
  if (scheme_end == std::string_view::npos && !url.path_prefix.empty()) {
    return UrlError(text, "has a path, but does not begin with https://");
  }
  return url;
}

Result<ListenAddress> ParseListenAddress(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon != std::string::npos) {
    std::string host = text.substr(0, colon);
    const int port = ParseNumber<int>(text.substr(colon + 1)).value_or(-1);
    const bool bracketed =
        host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (port >= 0 && port <= 65535 &&
        (bracketed || host.find(':') == std::string::npos)) {
      return ListenAddress{std::move(host), port};
    }
  }
  return UrlError(text, "must be host:port, such as :9953 or 127.0.0.1:9953");
}

bool SplitHostPort(std::string_view authority, std::string& host, int& port) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view inside = authority.substr(1, close - 1);
    host = inside.substr(0, inside.find('%'));
    const std::string_view zone = inside.substr(host.size());
    if (!IsIpAddress(host) || host.find(':') == std::string::npos ||
        !TakeZone(zone, host)) {
      return false;
    }
    rest = authority.substr(close + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    rest = authority.substr(host.size());
  }
  if (host.empty() || rest.empty()) return !host.empty();
  if (rest.front() != ':') return false;
  if (rest.size() == 1) return true;
  port = ParseNumber<int>(rest.substr(1)).value_or(0);
  return port > 0 && port < 65536;
}

std::string BracketHost(const std::string& host) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return ipv6 ? '[' + host + ']' : host;
}

std::string WithoutZone(const std::string& host) {
  const size_t zone =
      host.find(':') == std::string::npos ? std::string::npos : host.find('%');
  return host.substr(0, zone);
}

bool IsIpAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

}  // namespace kem

#include "net/proxy_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"

namespace kem {
namespace {

struct Scheme {
  const char* name;
  ProxyUrl::Kind kind;
  int port;
};
// The first of a kind is its usual name.
constexpr std::array<Scheme, 4> kSchemes = {{
    {"http", ProxyUrl::Kind::kHttp, 80},
    {"https", ProxyUrl::Kind::kHttps, 443},
    {"socks5", ProxyUrl::Kind::kSocks5, 1080},
    {"socks5h", ProxyUrl::Kind::kSocks5, 1080},
}};

// An IPv4 address is in the last four bytes.
struct Address {
  std::array<uint8_t, 16> bytes{};
  bool ipv4 = false;
  bool operator==(const Address&) const = default;
};

std::optional<Address> ParseAddress(const std::string& text) {
  Address address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) == 1) {
    address.ipv4 = true;
    return address;
  }
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    return address;
  }
  return std::nullopt;
}

bool SameBits(const Address& a, const Address& b, int from, int count) {
  for (int bit = from; bit < from + count; ++bit) {
    const auto byte = static_cast<size_t>(bit / 8);
    const auto mask = static_cast<unsigned>(0x80U >> (bit % 8));
    if (((a.bytes[byte] ^ b.bytes[byte]) & mask) != 0) return false;
  }
  return true;
}

// Whether "10.0.0.0/8" contains an address; empty when the rule is no CIDR.
std::optional<bool> MatchCidr(const std::string& rule,
                              const std::optional<Address>& address) {
  const size_t slash = rule.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::optional<Address> net = ParseAddress(rule.substr(0, slash));
  const int bits = ParseNumber<int>(rule.substr(slash + 1)).value_or(-1);
  if (!net || bits < 0 || bits > (net->ipv4 ? 32 : 128)) return std::nullopt;
  return address && address->ipv4 == net->ipv4 &&
         SameBits(*address, *net, net->ipv4 ? 96 : 0, bits);
}

// Whether an entry of NO_PROXY, in lower case, matches a host.
bool Matches(const std::string& rule, const std::string& host, int port,
             const std::optional<Address>& address) {
  if (rule == "*") return true;
  if (const auto cidr = MatchCidr(rule, address)) return *cidr;
  std::string name = rule;
  int rule_port = 0;
  // The colons of a bare IPv6 address do not separate a port.
  if (!ParseAddress(rule)) {
    name.clear();
    if (!SplitHostPort(rule, name, rule_port)) return false;
  }
  if (rule_port != 0 && rule_port != port) return false;
  if (const std::optional<Address> same = ParseAddress(name)) {
    return address == same;
  }
  if (address) return false;
  // foo.com matches also bar.foo.com; .foo.com and *.foo.com only that.
  if (name.starts_with("*.")) name.erase(0, 1);
  if (name.front() == '.') return host.ends_with(name);
  return host == name || host.ends_with('.' + name);
}

bool IsExempt(const ServerUrl& server, std::string_view list) {
  if (IsThisMachine(server)) return true;
  const std::string host = AsciiLower(server.host);
  const std::optional<Address> address = ParseAddress(host);
  while (!list.empty()) {
    const std::string rule = AsciiLower(Trim(TakeUntil(list, ','), " \t"));
    if (!rule.empty() && Matches(rule, host, server.port, address)) return true;
  }
  return false;
}

}  // namespace

bool IsThisMachine(const ServerUrl& server) {
  const std::string host = AsciiLower(server.host);
  const std::optional<Address> address = ParseAddress(host);
  if (address && address->ipv4) return address->bytes[12] == 127;
  return host == "localhost" || (address && address == ParseAddress("::1"));
}

std::string ProxyUrl::ToString() const {
  const auto scheme =
      std::find_if(kSchemes.begin(), kSchemes.end(),
                   [this](const Scheme& one) { return one.kind == kind; });
  return std::string(scheme->name) + "://" + BracketHost(host) + ':' +
         std::to_string(port);
}

std::string ProxyUrl::Authorization() const {
  if (!HasCredentials()) return "";
  return "Basic " + EncodeBase64(username + ':' + password);
}

Result<ProxyUrl> ParseProxyUrl(std::string_view text) {
  const size_t scheme_end = text.find("://");
  const auto scheme =
      std::find_if(kSchemes.begin(), kSchemes.end(), [&](const Scheme& one) {
        return scheme_end != std::string_view::npos &&
               AsciiLower(text.substr(0, scheme_end)) == one.name;
      });
  if (scheme == kSchemes.end()) {
    return InvalidConfig("does not begin with http://, https:// or socks5://");
  }
  ProxyUrl url;
  url.kind = scheme->kind;
  url.port = scheme->port;
  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    std::string_view user = rest.substr(0, at);
    const auto name = PercentDecode(TakeUntil(user, ':'));
    const auto password = PercentDecode(user);
    if (!name || !password) {
      return InvalidConfig(
          "has a user name or password that is not percent-encoded");
    }
    if (name->size() > 255 || password->size() > 255) {
      return InvalidConfig("has a user name or password of over 255 bytes");
    }
    url.username = *name;
    url.password = *password;
    rest.remove_prefix(at + 1);
  }
  if (!IsVisibleAscii(rest) || rest.find('\\') != std::string_view::npos ||
      !SplitHostPort(rest, url.host, url.port)) {
    return InvalidConfig("has no valid host and port");
  }
  return url;
}

Result<std::optional<ProxyUrl>> ProxyFromEnvironment(
    const ServerUrl& server, const Environment& environment) {
  const auto first = [&](const char* upper, const char* lower) {
    std::string value = environment(upper).value_or("");
    if (!value.empty()) return std::pair(upper, std::move(value));
    return std::pair(lower, environment(lower).value_or(""));
  };
  const auto [name, text] = server.tls ? first("HTTPS_PROXY", "https_proxy")
                                       : first("HTTP_PROXY", "http_proxy");
  if (text.empty()) return std::optional<ProxyUrl>();
  if (IsExempt(server, first("NO_PROXY", "no_proxy").second)) {
    return std::optional<ProxyUrl>();
  }
  Result<ProxyUrl> url = ParseProxyUrl(
      text.find("://") == std::string::npos ? "http://" + text : text);
  if (!url) {
    return InvalidConfig("environment variable " + std::string(name) + ' ' +
                         url.error().message +
                         "; correct it, or add the API server to NO_PROXY");
  }
  return std::optional<ProxyUrl>(std::move(*url));
}

}  // namespace kem

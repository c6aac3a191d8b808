#include "net/proxy_tunnel.h"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/safe_text.h"
#include "net/connection.h"

namespace kem {
namespace {

using namespace std::string_view_literals;

constexpr size_t kMaxProxyHead = 8192;

bool Refuse(Connection& connection, std::string why) {
  return connection.Fail(IoEnd::kFailed, std::move(why));
}

// `size` bytes; fewer when the connection ends. Reads no further, because what
// follows comes from the server.
std::string ReadExactly(Connection& connection, size_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::string_view read = connection.Read(size - bytes.size());
    if (read.empty()) break;
    bytes += read;
  }
  return bytes;
}

bool OpenHttpTunnel(Connection& connection, const ProxyUrl& proxy,
                    const ServerUrl& server) {
  const std::string authority = server.Authority();
  std::string head = "CONNECT " + authority +
                     " HTTP/1.1\r\nHost: " + authority +
                     "\r\nUser-Agent: kube-event-metrics\r\n";
  if (proxy.HasCredentials()) {
    head += "Proxy-Authorization: " + proxy.Authorization() + "\r\n";
  }
  if (!connection.Write(head + "\r\n")) return false;
  std::string answer;
  while (!answer.ends_with("\r\n\r\n") && !answer.ends_with("\n\n")) {
    const std::string_view byte = connection.Read(1);
    if (byte.empty()) return false;
    answer += byte;
    if (answer.size() > kMaxProxyHead) {
      return Refuse(connection, "its response to CONNECT is over 8 KiB");
    }
  }
  const std::string line = answer.substr(0, answer.find_first_of("\r\n"));
  if (!line.starts_with("HTTP/1.") || line.size() < 12) {
    return Refuse(connection, "its response to CONNECT is not HTTP/1.1");
  }
  if (line.substr(8, 4) == " 200") return true;
  return Refuse(connection,
                "it rejected CONNECT: " + OneLine(line.substr(9, 100)));
}

std::string Counted(const std::string& text) {
  return std::string(1, static_cast<char>(text.size())) + text;
}

// The address as RFC 1928 section 5 encodes it.
std::string SocksAddress(const ServerUrl& server) {
  std::array<char, sizeof(in6_addr)> bytes{};
  std::string address;
  if (inet_pton(AF_INET, server.host.c_str(), bytes.data()) == 1) {
    address = '\x01' + std::string(bytes.data(), 4);
  } else if (inet_pton(AF_INET6, server.host.c_str(), bytes.data()) == 1) {
    address = '\x04' + std::string(bytes.data(), 16);
  } else {
    address = '\x03' + Counted(server.host);
  }
  address += static_cast<char>(server.port >> 8);
  return address + static_cast<char>(server.port & 0xFF);
}

std::string SocksReason(uint8_t code) {
  static constexpr std::array<const char*, 9> kReasons = {
      "succeeded",
      "general failure",
      "not allowed by ruleset",
      "network unreachable",
      "host unreachable",
      "connection refused",
      "TTL expired",
      "command not supported",
      "address type not supported"};
  return code < kReasons.size() ? kReasons[code]
                                : "code " + std::to_string(code);
}

bool LogIn(Connection& connection, const ProxyUrl& proxy) {
  // Version 5, then the methods: none, and user name with password if given.
  const bool named = proxy.HasCredentials();
  if (!connection.Write(named ? "\x05\x02\x00\x02"sv : "\x05\x01\x00"sv)) {
    return false;
  }
  std::string reply = ReadExactly(connection, 2);
  if (reply.size() < 2) return false;
  if (reply[0] != 5) return Refuse(connection, "it is not a SOCKS5 proxy");
  if (reply[1] == 0) return true;
  if (reply[1] != 2 || !named) {
    return Refuse(connection,
                  named ? "it accepts neither a user name nor anonymous access"
                        : "it requires a user name and password in its URL");
  }
  if (!connection.Write('\x01' + Counted(proxy.username) +
                        Counted(proxy.password))) {
    return false;
  }
  reply = ReadExactly(connection, 2);
  if (reply.size() < 2) return false;
  return reply[1] == 0 ||
         Refuse(connection, "it rejected the user name and password");
}

bool OpenSocksTunnel(Connection& connection, const ProxyUrl& proxy,
                     const ServerUrl& server) {
  if (server.host.size() > 255) {
    return Refuse(connection,
                  "SOCKS5 does not support host names over 255 bytes");
  }
  if (!LogIn(connection, proxy) ||
      !connection.Write(std::string("\x05\x01\x00"sv) + SocksAddress(server))) {
    return false;
  }
  const std::string reply = ReadExactly(connection, 4);
  if (reply.size() < 4) return false;
  if (reply[0] != 5) return Refuse(connection, "it is not a SOCKS5 proxy");
  if (reply[1] != 0) {
    return Refuse(connection,
                  "SOCKS5: " + SocksReason(static_cast<uint8_t>(reply[1])));
  }
  // Skips the address and port that the proxy connects from.
  size_t size = reply[3] == 4 ? 16 : 4;
  if (reply[3] == 3) {
    const std::string count = ReadExactly(connection, 1);
    if (count.empty()) return false;
    size = static_cast<uint8_t>(count.front());
  }
  return ReadExactly(connection, size + 2).size() == size + 2;
}

}  // namespace

bool OpenTunnel(Connection& connection, const ProxyUrl& proxy,
                const ServerUrl& server) {
  return proxy.kind == ProxyUrl::Kind::kSocks5
             ? OpenSocksTunnel(connection, proxy, server)
             : OpenHttpTunnel(connection, proxy, server);
}

}  // namespace kem

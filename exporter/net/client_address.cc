#include "net/client_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "net/server_url.h"

namespace kem {
namespace {

constexpr size_t kIpv4Bytes = 4;
constexpr size_t kIpv6NetworkBytes = 8;

std::string HostText(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(family, address, text.data(), text.size());
  return BracketHost(text.data());
}

ClientAddress Make(int family, const unsigned char* address, size_t group,
                   uint16_t port) {
  return {{reinterpret_cast<const char*>(address), group},
          HostText(family, address) + ":" + std::to_string(ntohs(port))};
}

}  // namespace

ClientAddress MakeClientAddress(const sockaddr_storage& from) {
  if (from.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &from, sizeof(v4));
    return Make(AF_INET, reinterpret_cast<unsigned char*>(&v4.sin_addr),
                kIpv4Bytes, v4.sin_port);
  }
  if (from.ss_family != AF_INET6) return {};
  sockaddr_in6 v6;
  std::memcpy(&v6, &from, sizeof(v6));
  const unsigned char* const bytes = v6.sin6_addr.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    return Make(AF_INET, bytes + sizeof(v6.sin6_addr) - kIpv4Bytes, kIpv4Bytes,
                v6.sin6_port);
  }
  return Make(AF_INET6, bytes, kIpv6NetworkBytes, v6.sin6_port);
}

}  // namespace kem

#include "net/client_address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace kem {
namespace {

ClientAddress V4(const char* host, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET, host, &address.sin_addr), 1);
  sockaddr_storage from{};
  std::memcpy(&from, &address, sizeof(address));
  return MakeClientAddress(from);
}

ClientAddress V6(const char* host, uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  EXPECT_EQ(::inet_pton(AF_INET6, host, &address.sin6_addr), 1);
  sockaddr_storage from{};
  std::memcpy(&from, &address, sizeof(address));
  return MakeClientAddress(from);
}

TEST(ClientAddressTest, IsText) {
  EXPECT_EQ(V4("10.0.0.1", 40000).text, "10.0.0.1:40000");
  EXPECT_EQ(V6("fd00::1", 1).text, "[fd00::1]:1");
  EXPECT_EQ(V6("::ffff:10.0.0.1", 40000).text, "10.0.0.1:40000");
  EXPECT_EQ(MakeClientAddress({}).text, "");
}

TEST(ClientAddressTest, GroupsByAddressAndNotByPort) {
  EXPECT_EQ(V4("10.0.0.1", 1).group, V4("10.0.0.1", 2).group);
  EXPECT_NE(V4("10.0.0.1", 1).group, V4("10.0.0.2", 1).group);
  EXPECT_EQ(V4("10.0.0.1", 1).group, V6("::ffff:10.0.0.1", 2).group);
  EXPECT_NE(V6("::ffff:10.0.0.1", 1).group, V6("::ffff:10.0.0.2", 1).group);
}

TEST(ClientAddressTest, OneIpv6NetworkIsOneClient) {
  EXPECT_EQ(V6("2001:db8::1", 1).group, V6("2001:db8::ffff:0:0:9", 1).group);
  EXPECT_NE(V6("2001:db8::1", 1).group, V6("2001:db8:0:1::1", 1).group);
  EXPECT_NE(V6("2001:db8::1", 1).group, V4("32.1.13.184", 1).group);
}

}  // namespace
}  // namespace kem

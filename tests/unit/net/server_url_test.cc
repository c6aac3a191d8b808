#include "net/server_url.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

TEST(ServerUrlTest, TakesAnAddressApart) {
  const struct {
    const char* text;
    const char* host;
    const char* prefix;
    int port;
    bool tls;
  } cases[] = {
      {"https://10.0.0.1:6443", "10.0.0.1", "", 6443, true},
      {"https://api.example.com", "api.example.com", "", 443, true},
      {"http://localhost", "localhost", "", 80, false},
      {"http://localhost:8001/", "localhost", "", 8001, false},
      {"https://rancher/k8s/clusters/c-1/", "rancher", "/k8s/clusters/c-1", 443,
       true},
      {"https://[::1]:6443", "::1", "", 6443, true},
      {"https://[fd00::1]", "fd00::1", "", 443, true},
      // Zones and empty ports as in Go's net/url.
      {"https://[fe80::1%25eth0]:6443/", "fe80::1%eth0", "", 6443, true},
      {"https://[fe80::1%25eth0.1_a-b%32]", "fe80::1%eth0.1_a-b2", "", 443,
       true},
      {"https://host:", "host", "", 443, true},
      {"http://host:/p", "host", "/p", 80, false},
      {"https://[::1]:", "::1", "", 443, true},
      {"HTTPS://host", "host", "", 443, true},
      {"Http://host", "host", "", 80, false},
      {"https://api.example.com.:6443", "api.example.com.", "", 6443, true},
      // client-go drops query and fragment.
      {"https://host?x=1", "host", "", 443, true},
      {"https://host/p/?x=/y#z", "host", "/p", 443, true},
      {"https://host/#a@b", "host", "", 443, true},
  };
  for (const auto& c : cases) {
    const Result<ServerUrl> url = ParseServerUrl(c.text, false);
    ASSERT_TRUE(url) << c.text << ": " << url.error().message;
    EXPECT_EQ(url->tls, c.tls) << c.text;
    EXPECT_EQ(url->host, c.host) << c.text;
    EXPECT_EQ(url->port, c.port) << c.text;
    EXPECT_EQ(url->path_prefix, c.prefix) << c.text;
  }
}

TEST(ServerUrlTest, GuessesTheSchemeOfABareHostAsClientGoDoes) {
  EXPECT_TRUE(ParseServerUrl("10.0.0.1:6443", true)->tls);
  EXPECT_FALSE(ParseServerUrl("10.0.0.1:8080", false)->tls);
  EXPECT_EQ(ParseServerUrl("10.0.0.1", true)->port, 443);
}

TEST(ServerUrlTest, TakesUserNameAndPasswordApartAndShowsNeither) {
  const struct {
    const char* text;
    const char* user_info;
  } cases[] = {
      {"https://host", ""},
      {"https://@host", ""},
      {"https://user@host", "user:"},
      {"https://user:p:w@host/p", "user:p:w"},
      {"https://al%40din:open%3a%2F@host?x=@y", "al@din:open:/"},
      {"https://a@b:c@host", "a@b:c"},
      {"user:pw@host", "user:pw"},
  };
  for (const auto& c : cases) {
    const Result<ServerUrl> url = ParseServerUrl(c.text, true);
    ASSERT_TRUE(url) << c.text << ": " << url.error().message;
    EXPECT_EQ(url->user_info, c.user_info) << c.text;
    EXPECT_EQ(url->host, "host") << c.text;
    EXPECT_EQ(url->ToString().find('@'), std::string::npos);
    EXPECT_EQ(url->Authority(), "host:443");
  }
}

TEST(ServerUrlTest, WritesIpv6InBrackets) {
  const Result<ServerUrl> url = ParseServerUrl("https://[::1]:6443/p", false);
  EXPECT_EQ(url->Authority(), "[::1]:6443");
  EXPECT_EQ(url->ToString(), "https://[::1]:6443/p");
}

TEST(ServerUrlTest, RefusesWhatIsNoServer) {
  for (const char* text : {"",
                           "https://",
                           "https://:6443",
                           "ftp://host",
                           "https://host:0",
                           "https://host:65536",
                           "https://host:port",
                           "https://:",
                           "https://host:6443:",
                           "https://[fe80::1%eth0]",
                           "https://[fe80::1%25]",
                           "https://[fe80::1%25a%2Fb]",
                           "https://[fe80::1%25a%00]",
                           "https://[fe80::1%25a%25]",
                           "https://[fe80::1%25a%2]",
                           "https://[%25eth0]",
                           "https://[127.0.0.1%25eth0]",
                           "https://a b",
                           "https://[::1",
                           "https://[::1]x",
                           "https://[a]",
                           "https://[127.0.0.1]",
                           "https://::1",
                           "https://host\n",
                           "//host",
                           "host/path",
                           "host:1/path",
                           "https://?x=1",
                           "https://#a",
                           "https://host/a b?x",
                           "https://host?a b"}) {
    const Result<ServerUrl> url = ParseServerUrl(text, true);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::kInvalidConfig);
    EXPECT_NE(url.error().message.find('"' + std::string(text) + '"'),
              std::string::npos);
  }
}

TEST(ServerUrlTest, QuotesNoPassword) {
  for (const char* text :
       {"https://user:pw@host:x", "user:pw@host:0", "ftp://user:p@pw@host",
        "https://user:pw@", "https://user:pw%zz@host"}) {
    const Result<ServerUrl> url = ParseServerUrl(text, true);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().message.find("pw"), std::string::npos)
        << url.error().message;
    EXPECT_NE(url.error().message.find("\"***@"), std::string::npos);
  }
}

TEST(ServerUrlTest, TakesTheZoneOffAnAddressOnly) {
  EXPECT_EQ(WithoutZone("fe80::1%eth0"), "fe80::1");
  EXPECT_EQ(WithoutZone("fe80::1"), "fe80::1");
  EXPECT_EQ(WithoutZone("a%b"), "a%b");
  EXPECT_EQ(WithoutZone(""), "");
}

TEST(ServerUrlTest, KnowsAddresses) {
  EXPECT_TRUE(IsIpAddress("10.0.0.1"));
  EXPECT_TRUE(IsIpAddress("fd00::1"));
  EXPECT_FALSE(IsIpAddress("[fd00::1]"));
  EXPECT_FALSE(IsIpAddress("host"));
  EXPECT_FALSE(IsIpAddress(""));
}

}  // namespace
}  // namespace kem

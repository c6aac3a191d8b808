// Proxies from URLs and the environment, with Go's rules for NO_PROXY.
#include "net/proxy_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/apiserver/fakes.h"

namespace kem {
namespace {

using Kind = ProxyUrl::Kind;

std::string ErrorOf(const std::string& text) {
  const Result<ProxyUrl> url = ParseProxyUrl(text);
  return url ? "none" : url.error().message;
}

TEST(ProxyUrlTest, ReadsSchemesPortsAndHosts) {
  const std::pair<const char*, const char*> cases[] = {
      {"http://p", "http://p:80"},
      {"HTTPS://p/", "https://p:443"},
      {"socks5://10.0.0.1", "socks5://10.0.0.1:1080"},
      {"socks5h://10.0.0.1", "socks5://10.0.0.1:1080"},
      {"http://[::1]:3128/path?q", "http://[::1]:3128"},
  };
  for (const auto& [text, shown] : cases) {
    const Result<ProxyUrl> url = ParseProxyUrl(text);
    ASSERT_TRUE(url) << text;
    EXPECT_EQ(url->ToString(), shown);
    EXPECT_FALSE(url->HasCredentials());
    EXPECT_EQ(url->Authorization(), "");
  }
}

TEST(ProxyUrlTest, ReadsUserNameAndPasswordAndShowsNeither) {
  const Result<ProxyUrl> url = ParseProxyUrl("http://al%40din:open%3a@s@p:1");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->username, "al@din");
  EXPECT_EQ(url->password, "open:@s");
  EXPECT_EQ(url->Authorization(), "Basic YWxAZGluOm9wZW46QHM=");
  EXPECT_EQ(url->ToString(), "http://p:1");
  EXPECT_EQ(ParseProxyUrl("http://user@p")->Authorization(), "Basic dXNlcjo=");
}

TEST(ProxyUrlTest, TellsWhatIsWrongWithoutQuotingIt) {
  const char* scheme = "does not begin with http://, https:// or socks5://";
  const char* host = "has no valid host and port";
  const std::pair<std::string, const char*> cases[] = {
      {"", scheme},
      {"p:3128", scheme},
      {"socks4://hush", scheme},
      {"http://", host},
      {"http://hush@", host},
      {"http://p:0", host},
      {"http://p:hush", host},
      {"http://p q", host},
      {"http://a:hu%2sh@p",
       "has a user name or password that is not percent-encoded"},
      {"http://" + std::string(256, 'a') + "@p",
       "has a user name or password of over 255 bytes"},
  };
  for (const auto& [text, sentence] : cases) {
    EXPECT_EQ(ErrorOf(text), sentence) << text;
  }
}

class ProxyEnvironmentTest : public testing::Test {
 protected:
  std::string Of(const std::string& server,
                 const std::map<std::string, std::string>& variables) {
    const auto proxy = ProxyFromEnvironment(*ParseServerUrl(server, true),
                                            FakeEnvironment(variables));
    if (!proxy) return proxy.error().message;
    return *proxy ? (*proxy)->ToString() : "none";
  }
  // Whether NO_PROXY exempts the server from the proxy.
  bool Exempt(const std::string& server, const std::string& list) {
    return Of(server, {{"HTTPS_PROXY", "p"}, {"NO_PROXY", list}}) == "none";
  }
};

TEST_F(ProxyEnvironmentTest, TakesTheVariableOfTheScheme) {
  EXPECT_EQ(Of("https://k", {}), "none");
  EXPECT_EQ(Of("https://k", {{"HTTP_PROXY", "h"}}), "none");
  EXPECT_EQ(Of("http://k", {{"HTTP_PROXY", "h"}}), "http://h:80");
  EXPECT_EQ(Of("https://k", {{"HTTPS_PROXY", "h:1"}}), "http://h:1");
  // As Go: upper case first, and an empty variable is none.
  EXPECT_EQ(Of("https://k", {{"HTTPS_PROXY", "u"}, {"https_proxy", "l"}}),
            "http://u:80");
  EXPECT_EQ(Of("https://k", {{"HTTPS_PROXY", ""}, {"https_proxy", "l"}}),
            "http://l:80");
  EXPECT_EQ(Of("http://k", {{"HTTP_PROXY", "u"}, {"http_proxy", "l"}}),
            "http://u:80");
  EXPECT_EQ(
      Of("https://k",
         {{"HTTPS_PROXY", "h"}, {"NO_PROXY", "other"}, {"no_proxy", "k"}}),
      "http://h:80");
  EXPECT_EQ(Of("https://k", {{"https_proxy", "socks5://s"}}),
            "socks5://s:1080");
}

TEST_F(ProxyEnvironmentTest, TellsWhichVariableIsWrong) {
  EXPECT_EQ(Of("https://k", {{"HTTPS_PROXY", "ftp://user:hush@p"}}),
            "environment variable HTTPS_PROXY does not begin with http://, "
            "https:// or socks5://; correct it, or add the API server to "
            "NO_PROXY");
}

TEST(ProxyUrlTest, KnowsThisMachineByNameAndAddressOnly) {
  for (const char* host :
       {"localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(IsThisMachine({true, host, 443, ""})) << host;
  }
  for (const char* host : {"127.example.com", "127.0.0.1.example.com",
                           "localhost.example.com", "10.0.0.1", "::2", "::"}) {
    EXPECT_FALSE(IsThisMachine({true, host, 443, ""})) << host;
  }
}

TEST_F(ProxyEnvironmentTest, ReachesThisMachineDirectly) {
  for (const char* server :
       {"https://localhost:6443", "https://127.3.0.1", "https://[::1]:6443"}) {
    EXPECT_TRUE(Exempt(server, "")) << server;
  }
}

TEST_F(ProxyEnvironmentTest, HonoursNoProxy) {
  struct Case {
    const char* list;
    const char* server;
    bool exempt;
  };
  const Case cases[] = {
      {"*", "https://k", true},
      {"other, *", "https://k", true},
      {"k", "https://k", true},
      {"K.Example", "https://k.example", true},
      {"example", "https://k.example", true},
      {"example", "https://kexample", false},
      {".example", "https://k.example", true},
      {".example", "https://example", false},
      {"*.example", "https://k.example", true},
      {"*.example", "https://example", false},
      {"k:6443", "https://k:6443", true},
      {"k:6443", "https://k", false},
      {"k:443", "https://k", true},
      {" a ,, k ", "https://k", true},
      {"10.0.0.1", "https://10.0.0.1", true},
      {"10.0.0.1:443", "https://10.0.0.1", true},
      {"10.0.0.1:1", "https://10.0.0.1", false},
      {"10.0.0.0/8", "https://10.96.0.1", true},
      {"10.0.0.0/12", "https://10.96.0.1", false},
      {"::/0", "https://10.96.0.1", false},
      {"0.0.0.0/0", "https://[fd00::1]", false},
      {"fd00::/8", "https://[fd12::1]", true},
      {"fd00::1", "https://[fd00::1]", true},
      {"[fd00::1]:443", "https://[fd00::1]", true},
      {"10", "https://10.0.0.10", false},
      {"0.0.1", "https://10.0.0.1", false},
      {"10.0.0.0/8", "https://k", false},
      {"k:x", "https://k", false},
      {".", "https://k", false},
      {":443", "https://k", false},
      {"10.0.0.0/99", "https://10.0.0.1", false},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(Exempt(one.server, one.list), one.exempt)
        << one.list << " and " << one.server;
  }
}

}  // namespace
}  // namespace kem

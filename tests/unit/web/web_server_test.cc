// Logins, headers, the rate limit and refused files of the web configuration,
// with a real HttpServer on loopback.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "testing/no_threads.h"
#include "unit/web/web_fixture.h"

namespace kem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A request with a wrong password of its own.
std::string Guess(int number) {
  const auto header = httplib::make_basic_authentication_header(
      "alice", std::to_string(number));
  return "GET / HTTP/1.1\r\nHost: a\r\n" + header.first + ": " + header.second +
         "\r\n\r\n";
}

TEST_F(WebServerTest, AChangedFileDoesNotTurnLoginsOff) {
  ASSERT_TRUE(Start(std::string("basic_auth_users:\n  alice: ") + kSecretHash));
  for (const char* text : {"", "\n", "{}", "basic_auth_users: {}",
                           "rate_limit: {interval: 1ms, burst: 100}"}) {
    Write("web.yaml", text);
    EXPECT_EQ(PlainStatus(), 401) << text;
    EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200) << text;
  }
}

TEST_F(WebServerTest, RequiresNameAndPasswordOnEveryPath) {
  ASSERT_TRUE(Start(std::string("basic_auth_users:\n  alice: ") + kSecretHash));
  httplib::Client client("127.0.0.1", port);
  for (const char* path : {"/", "/metrics", "/livez", "/readyz", "/no"}) {
    const auto reply = client.Get(path);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 401) << path;
    EXPECT_EQ(reply->get_header_value("WWW-Authenticate"), "Basic");
  }
  EXPECT_EQ(client.Post("/-/reload")->status, 401);
  EXPECT_EQ(reloads, 0);
  EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200);
  EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200);
  EXPECT_EQ(PlainStatus(Basic("alice", "wrong")), 401);
  EXPECT_EQ(PlainStatus(Basic("alice", "secret2")), 401);
  EXPECT_EQ(PlainStatus(Basic("alice", "")), 401);
  EXPECT_EQ(PlainStatus(Basic("bob", "secret")), 401);
  EXPECT_EQ(PlainStatus(Basic("", "")), 401);
  EXPECT_EQ(PlainStatus(Basic("alice", std::string("secret\0x", 8))), 401);
  EXPECT_EQ(PlainStatus({{"Authorization", "Bearer x"}}), 401);
  EXPECT_EQ(PlainStatus({{"Authorization", "Basic ???"}}), 401);
  EXPECT_EQ(PlainStatus({{"Authorization", "basic YWxpY2U6c2VjcmV0"}}), 200);
  EXPECT_EQ(stats.Requests().at({"/metrics", 401}), 9U);
  EXPECT_EQ(stats.Requests().at({"other", 401}), 1U);
}

TEST_F(WebServerTest, ALoginForWhichTheSystemHasNoThread) {
  ASSERT_TRUE(
      Start(std::string("basic_auth_users:\n  ann: ") + kSecretHash + "\n"));
  {
    const NoThreads none;
    EXPECT_EQ(PlainStatus(Basic("ann", "secret")), 503);
  }
  EXPECT_EQ(PlainStatus(Basic("ann", "secret")), 200);
}

TEST_F(WebServerTest, ReloadsUsers) {
  const std::string users = std::string("basic_auth_users:\n  alice: ");
  ASSERT_TRUE(Start(users + kSecretHash));
  EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200);
  Write("web.yaml", "basic_auth_users:\n  carol: " + std::string(kSecretHash));
  EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 401);
  EXPECT_EQ(PlainStatus(Basic("carol", "secret")), 200);
  Write("web.yaml", "basic_auth_users:\n  carol: nonsense");
  EXPECT_EQ(PlainStatus(), 401);
  EXPECT_EQ(PlainStatus(Basic("carol", "secret")), 200);
}

TEST_F(WebServerTest, ManyGuessersDoNotDelayRememberedLogins) {
  ASSERT_TRUE(Start(std::string("basic_auth_users:\n  alice: ") + kSecretHash));
  EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200);
  std::vector<std::unique_ptr<RawClient>> guessers;
  for (int i = 0; i < 200; ++i) {
    guessers.push_back(std::make_unique<RawClient>(server->address()));
    guessers.back()->Send(Guess(i));
    if (i % 50 == 0) {
      EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200);
    }
  }
  for (const auto& guesser : guessers) {
    EXPECT_THAT(guesser->Read("\r\n\r\n"), StartsWith("HTTP/1.1 401"));
  }
}

TEST_F(WebServerTest, AFirstLoginGetsItsTurnAmongGuessers) {
  ASSERT_TRUE(Start(std::string("basic_auth_users:\n  alice: ") + kSecretHash));
  std::atomic<bool> stop = false;
  std::atomic<int> guesses = 0;
  std::vector<std::jthread> guessers;  // last: these threads use the others
  guessers.reserve(50);
  for (int i = 0; i < 50; ++i) {
    guessers.emplace_back([this, i, &stop, &guesses] {
      RawClient client(server->address());
      for (int j = 0; !stop; ++j) {
        client.Send(Guess(i * 100000 + j));
        EXPECT_THAT(client.Read("Unauthorized\n"), StartsWith("HTTP/1.1 401"));
        ++guesses;
      }
    });
  }
  while (guesses < 100) std::this_thread::yield();
  for (int i = 0; i < 8; ++i) {
    // Each is a first one: the file has another user.
    Write("web.yaml",
          "basic_auth_users:\n  u" + std::to_string(i) + ": " + kSecretHash);
    EXPECT_EQ(PlainStatus(Basic("u" + std::to_string(i), "secret")), 200);
  }
  stop = true;
}

TEST_F(WebServerTest, ALoginThatWaitsTooLongIsRefusedAndItsConnectionClosed) {
  limits.wait = std::chrono::milliseconds(1);
  // At a cost that takes half a second.
  ASSERT_TRUE(
      Start("basic_auth_users:\n  alice: "
            "$2b$13$abcdefghijklmnopqrstuuyd9ipDgNyTEie103vumVuve9x.2WtxW"));
  RawClient client(server->address());
  // A result that comes later must not admit the second request.
  client.Send(
      "GET / HTTP/1.1\r\nHost: a\r\n"
      "Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: a\r\n"
      "Authorization: Basic YWxpY2U6eA==\r\n\r\n");
  const std::string answer = client.Read();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nToo many requests wait\n"));
}

TEST_F(WebServerTest, StopsDuringALogin) {
  ASSERT_TRUE(Start(std::string("basic_auth_users:\n  alice: ") + kSecretHash));
  RawClient client(server->address());
  client.Send(
      "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YWxpY2U6eA==\r\n\r\n");
  RawClient::Get(server->address(), "/livez");
  server.reset();
}

TEST_F(WebServerTest, AddsHeaders) {
  ASSERT_TRUE(Start("http_server_config: {headers: {X-Frame-Options: deny}}"));
  for (const char* path : {"/", "/metrics", "/no"}) {
    EXPECT_THAT(RawClient::Get(server->address(), path),
                HasSubstr("X-Frame-Options: deny\r\n"));
  }
}

TEST_F(WebServerTest, LimitsTheRate) {
  ASSERT_TRUE(Start("rate_limit: {interval: 1h, burst: 2}"));
  EXPECT_EQ(PlainStatus(), 200);
  EXPECT_EQ(PlainStatus(), 200);
  EXPECT_EQ(PlainStatus(), 429);
}

TEST_F(WebServerTest, RefusesAReloadFromAnotherSite) {
  ASSERT_TRUE(Start(""));
  const auto post = [this](const std::string& headers) {
    RawClient client(server->address());
    client.Send(
        "POST /-/reload HTTP/1.1\r\nHost: a:1\r\nConnection: close\r\n" +
        headers + "\r\n");
    return client.Read();
  };
  for (const char* evil :
       {"Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
        "Origin: http://b:1\r\n", "Origin: null\r\n"}) {
    EXPECT_THAT(post(evil), StartsWith("HTTP/1.1 403")) << evil;
  }
  EXPECT_EQ(reloads, 0);
  for (const char* good :
       {"", "Sec-Fetch-Site: same-origin\r\n", "Origin: http://a:1\r\n"}) {
    EXPECT_THAT(post(good), EndsWith("reloaded\n")) << good;
  }
}

TEST_F(WebServerTest, RefusesInvalidConfigurations) {
  WritePair("other", Signed("other", {}));
  Write("junk", "junk");
  const std::pair<std::string, std::string> problems[] = {
      {"tls_server_config: {cert_file: no, key_file: server.key}",
       "cert_file: cannot read"},
      {"tls_server_config: {cert_file: junk, key_file: server.key}",
       "the certificate: has no PEM certificate"},
      {"tls_server_config: {cert_file: server.crt, key_file: junk}",
       "is not an unencrypted PEM key"},
      {"tls_server_config: {cert_file: server.crt, key_file: other.key}",
       "the certificate and its key cannot be used"},
      {std::string(kTls) + "  client_auth_type: RequireAndVerifyClientCert\n"
                           "  client_ca_file: junk\n",
       "client_ca_file " + Path("junk") + " has no PEM certificate"},
      {"a: b", "the file has the unknown key \"a\""},
  };
  for (const auto& [config, problem] : problems) {
    const Result<void> started = Start(config);
    ASSERT_FALSE(started) << config;
    EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(started.error().message,
                StartsWith("--web.config.file " + Path("web.yaml")));
    EXPECT_THAT(started.error().message, HasSubstr(problem));
  }
}

}  // namespace
}  // namespace kem

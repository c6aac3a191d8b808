// TLS, client certificates, basic authentication and their reload, with a real
// HttpServer on loopback.
#include <gmock/gmock.h>
#include <httplib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "testing/no_threads.h"
#include "testing/temp_folder.h"
#include "unit/net/certificates.h"
#include "unit/web/raw_client.h"
#include "web/http_server.h"

namespace kem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// bcrypt of "secret" at the lowest cost, from crypt(3).
constexpr char kSecretHash[] =
    "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

class WebServerTest : public ::testing::Test {
 protected:
  WebServerTest() {
    WritePair("server", Signed("localhost", {"IP:127.0.0.1"}));
  }

  PemPair Signed(const std::string& name, std::vector<std::string> sans,
                 const PemPair* issuer = nullptr) {
    CertificateWish wish;
    wish.common_name = name;
    wish.alternative_names = std::move(sans);
    return MakeCertificate(wish, issuer == nullptr ? &ca : issuer);
  }
  std::string Path(const std::string& name) {
    return folder.path() + "/" + name;
  }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(Path(name)) << text;
  }
  void WritePair(const std::string& name, const PemPair& pair) {
    Write(name + ".crt", pair.certificate);
    Write(name + ".key", pair.key);
  }

  Result<void> Start(const std::string& config) {
    Write("web.yaml", config);
    Write("ca.crt", ca.certificate);
    HttpContent content;
    content.scrape = [](const std::string&) {
      return Scrape{"text/plain", [](std::string& out) {
                      out += "metric 1\n";
                      return false;
                    }};
    };
    content.page = [] { return "page\n"; };
    content.livez = [] { return Health{true, "alive\n"}; };
    content.readyz = [] { return Health{true, "ready\n"}; };
    content.reload = [this] {
      ++reloads;
      return Result<std::string>("reloaded");
    };
    HttpServerOptions options;
    options.address = {"127.0.0.1", 0};
    options.web_config_file = Path("web.yaml");
    options.limits.reread = std::chrono::milliseconds(0);
    auto started = HttpServer::Start(options, std::move(content), stats);
    if (!started) return started.error();
    server = std::move(*started);
    const std::string& address = server->address();
    port = std::stoi(address.substr(address.rfind(':') + 1));
    return {};
  }

  // Trusts the test's CA; `client` names a client's pair of files.
  std::unique_ptr<httplib::SSLClient> Tls(const std::string& client = "") {
    auto made = client.empty()
                    ? std::make_unique<httplib::SSLClient>("127.0.0.1", port)
                    : std::make_unique<httplib::SSLClient>(
                          "127.0.0.1", port, Path(client + ".crt"),
                          Path(client + ".key"));
    made->set_ca_cert_path(Path("ca.crt"));
    made->enable_server_certificate_verification(true);
    return made;
  }

  // The status of a GET; 0 without an answer.
  static int Status(httplib::ClientImpl& client,
                    const httplib::Headers& headers = {}) {
    const auto reply = client.Get("/metrics", headers);
    return reply ? reply->status : 0;
  }
  int PlainStatus(const httplib::Headers& headers = {}) {
    httplib::Client client("127.0.0.1", port);
    const auto reply = client.Get("/metrics", headers);
    return reply ? reply->status : 0;
  }
  static httplib::Headers Basic(const std::string& name,
                                const std::string& password) {
    return {httplib::make_basic_authentication_header(name, password)};
  }

  static constexpr char kTls[] =
      "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

  TempFolder folder;
  PemPair ca = MakeCa();
  HttpStats stats;
  std::atomic<int> reloads = 0;
  int port = 0;
  std::unique_ptr<HttpServer> server;
};

TEST_F(WebServerTest, ServesTlsWithKeptConnections) {
  ASSERT_TRUE(Start(kTls));
  const auto client = Tls();
  client->set_keep_alive(true);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client->Get("/metrics");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "metric 1\n");
  }
  EXPECT_EQ(PlainStatus(), 0);
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebServerTest, ATlsClientThatSendsNothingCostsNoScrape) {
  ASSERT_TRUE(Start(kTls));
  std::vector<std::unique_ptr<RawClient>> mute;
  for (int i = 0; i < 50; ++i) {
    mute.push_back(std::make_unique<RawClient>(server->address()));
    mute.back()->Send("\x16\x03\x01");
  }
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebServerTest, TakesInlineCertificates) {
  const PemPair pair = Signed("localhost", {"IP:127.0.0.1"});
  const auto indented = [](const std::string& pem) {
    std::string text = "|\n    ";
    for (const char c : pem) {
      text += c;
      if (c == '\n') text += "    ";
    }
    return text + "\n";
  };
  ASSERT_TRUE(
      Start("tls_server_config:\n  cert: " + indented(pair.certificate) +
            "  key: " + indented(pair.key)));
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebServerTest, VerifiesClientsByThePolicy) {
  const PemPair stranger_ca = MakeCa("stranger");
  WritePair("good", Signed("prometheus", {"DNS:prometheus"}));
  WritePair("other", Signed("other", {"DNS:other"}));
  WritePair("strange", Signed("prometheus", {"DNS:prometheus"}, &stranger_ca));
  struct Case {
    const char* policy;
    // Status without a certificate, with two of the CA and one of another CA.
    int none, good, other, strange;
  };
  const Case cases[] = {
      {"client_auth_type: NoClientCert", 200, 200, 200, 200},
      {"client_auth_type: RequestClientCert", 200, 200, 200, 200},
      {"client_auth_type: RequireAnyClientCert", 0, 200, 200, 200},
      {"client_auth_type: VerifyClientCertIfGiven\n  client_ca_file: ca.crt",
       200, 200, 200, 0},
      {"client_auth_type: RequireAndVerifyClientCert\n"
       "  client_ca_file: ca.crt",
       0, 200, 200, 0},
      {"client_auth_type: RequireAndVerifyClientCert\n"
       "  client_ca_file: ca.crt\n  client_allowed_sans: [x, prometheus]",
       0, 200, 0, 0},
      {"client_auth_type: RequireAnyClientCert\n"
       "  client_allowed_sans: [prometheus]",
       0, 200, 0, 200},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(Start(std::string(kTls) + "  " + c.policy + "\n"));
    EXPECT_EQ(Status(*Tls()), c.none) << c.policy;
    EXPECT_EQ(Status(*Tls("good")), c.good) << c.policy;
    EXPECT_EQ(Status(*Tls("other")), c.other) << c.policy;
    EXPECT_EQ(Status(*Tls("strange")), c.strange) << c.policy;
  }
}

TEST_F(WebServerTest, MatchesAllKindsOfSubjectAlternativeNames) {
  WritePair("many", Signed("m", {"IP:10.1.2.3", "IP:fd00::1", "email:a@b.c",
                                 "URI:spiffe://x/y"}));
  for (const char* san : {"10.1.2.3", "fd00::1", "a@b.c", "spiffe://x/y"}) {
    ASSERT_TRUE(Start(std::string(kTls) +
                      "  client_auth_type: RequireAnyClientCert\n"
                      "  client_allowed_sans: [\"" +
                      san + "\"]\n"));
    EXPECT_EQ(Status(*Tls("many")), 200) << san;
  }
}

TEST_F(WebServerTest, TakesVersionsCiphersAndCurves) {
  ASSERT_TRUE(Start(std::string(kTls) +
                    "  max_version: TLS12\n"
                    "  curve_preferences: [CurveP256, X25519]\n"
                    "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
                    " TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n"));
  EXPECT_EQ(Status(*Tls()), 200);
  ASSERT_TRUE(
      Start(std::string(kTls) + "  cipher_suites: [TLS_AES_128_GCM_SHA256]\n"));
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebServerTest, ReloadsCertificates) {
  ASSERT_TRUE(Start(kTls));
  const auto kept = Tls();
  kept->set_keep_alive(true);
  EXPECT_EQ(Status(*kept), 200);
  const PemPair second_ca = MakeCa("second");
  WritePair("server", Signed("localhost", {"IP:127.0.0.1"}, &second_ca));
  EXPECT_EQ(Status(*kept), 200);
  EXPECT_EQ(Status(*Tls()), 0);
  Write("ca.crt", second_ca.certificate);
  EXPECT_EQ(Status(*Tls()), 200);
  // An invalid one leaves the former one.
  Write("server.crt", "nonsense");
  EXPECT_EQ(Status(*Tls()), 200);
  std::filesystem::remove(Path("server.key"));
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebServerTest, AChangedFileDoesNotTurnTlsOff) {
  ASSERT_TRUE(Start(kTls));
  Write("web.yaml", "");
  EXPECT_EQ(PlainStatus(), 0);
  EXPECT_EQ(Status(*Tls()), 200);
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
    guessers.back()->Send(
        "GET / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6Z3Vlc3M=\r\n\r\n");
    if (i % 50 == 0) {
      EXPECT_EQ(PlainStatus(Basic("alice", "secret")), 200);
    }
  }
  for (const auto& guesser : guessers) {
    EXPECT_THAT(guesser->Read("\r\n\r\n"),
                ::testing::AnyOf(StartsWith("HTTP/1.1 401"),
                                 StartsWith("HTTP/1.1 503")));
  }
}

TEST_F(WebServerTest, StopsDuringALogin) {
  ASSERT_TRUE(Start(std::string("basic_auth_users:\n  alice: ") + kSecretHash));
  RawClient client(server->address());
  client.Send("GET / HTTP/1.1\r\nAuthorization: Basic YWxpY2U6eA==\r\n\r\n");
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
  const std::pair<std::string, const char*> problems[] = {
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
       "client_ca: the CA bundle: has no PEM certificate"},
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

// TLS and client certificates of a real HttpServer on loopback, and their
// reload.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "unit/web/web_fixture.h"

namespace kem {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class WebTlsTest : public WebServerTest {
 protected:
  // Why a request with this client's pair fails, in OpenSSL's words. The client
  // sends its request before it reads, as Prometheus does.
  std::string AlertFor(const std::string& client) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    if (!client.empty()) {
      SSL_CTX_use_certificate_file(context.get(), Path(client + ".crt").c_str(),
                                   SSL_FILETYPE_PEM);
      SSL_CTX_use_PrivateKey_file(context.get(), Path(client + ".key").c_str(),
                                  SSL_FILETYPE_PEM);
    }
    const RawClient socket(server->address());
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()),
                                                        SSL_free);
    SSL_set_fd(ssl.get(), socket.fd());
    ERR_clear_error();
    std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    std::array<char, 1000> answer;
    if (SSL_connect(ssl.get()) == 1) {
      SSL_write(ssl.get(), request.data(), static_cast<int>(request.size()));
      SSL_read(ssl.get(), answer.data(), static_cast<int>(answer.size()));
    }
    const char* const why = ERR_reason_error_string(ERR_get_error());
    return why == nullptr ? "no alert" : why;
  }
};

// The suites of TLS 1.2 that the server takes from a client with all of them.
std::set<std::string> TakenSuites(const std::string& address) {
  std::set<std::string> taken;
  std::string offer = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
  while (true) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(
        SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    if (SSL_CTX_set_cipher_list(context.get(), offer.c_str()) != 1) break;
    const RawClient socket(address);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()),
                                                        SSL_free);
    SSL_set_fd(ssl.get(), socket.fd());
    if (SSL_connect(ssl.get()) != 1) break;
    const std::string name = SSL_get_cipher_name(ssl.get());
    if (!taken.insert(name).second) break;
    offer += ":!" + name;
  }
  return taken;
}

TEST_F(WebTlsTest, ServesTlsWithKeptConnections) {
  ASSERT_TRUE(Start(kTls));
  const auto client = Tls();
  client->set_keep_alive(true);
  for (int i = 0; i < 3; ++i) {
    const auto reply = client->Get("/metrics");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->body, "metric 1\n");
  }
  EXPECT_EQ(PlainStatus(), 400);
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebTlsTest, AnswersPlainHttpOnTheTlsPort) {
  ASSERT_TRUE(Start(kTls));
  for (const std::string method : {"GET", "POST", "HEAD", "CONNECT"}) {
    RawClient client(server->address());
    // More than the server reads before it answers.
    client.Send(method + " /metrics HTTP/1.1\r\nHost: a\r\nX: " +
                std::string(7000, 'x') + "\r\n\r\n");
    const std::string answer = client.Read();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_THAT(answer,
                EndsWith("This port serves HTTPS. Use https:// in the URL.\n"));
  }
  EXPECT_EQ(Status(*Tls()), 200);
  EXPECT_EQ(stats.Requests().at({"other", 400}), 4U);
}

TEST_F(WebTlsTest, ARefusedClientReadsTheAlert) {
  WritePair("other", Signed("other", {"DNS:other"}));
  const PemPair stranger_ca = MakeCa("stranger");
  WritePair("strange", Signed("prometheus", {"DNS:prometheus"}, &stranger_ca));
  ASSERT_TRUE(Start(std::string(kTls) +
                    "  client_auth_type: RequireAndVerifyClientCert\n"
                    "  client_ca_file: ca.crt\n"
                    "  client_allowed_sans: [prometheus]\n"));
  const std::pair<const char*, const char*> cases[] = {
      {"other", "alert bad certificate"},
      {"strange", "alert unknown ca"},
      {"", "alert certificate required"}};
  for (const auto& [client, alert] : cases) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_THAT(AlertFor(client), HasSubstr(alert)) << client;
    }
  }
}

TEST_F(WebTlsTest, ATlsClientThatSendsNothingCostsNoScrape) {
  ASSERT_TRUE(Start(kTls));
  std::vector<std::unique_ptr<RawClient>> mute;
  for (int i = 0; i < 50; ++i) {
    mute.push_back(std::make_unique<RawClient>(server->address()));
    mute.back()->Send("\x16\x03\x01");
  }
  EXPECT_EQ(Status(*Tls()), 200);
}

TEST_F(WebTlsTest, TakesInlineCertificates) {
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

TEST_F(WebTlsTest, VerifiesClientsByThePolicy) {
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

TEST_F(WebTlsTest, MatchesAllKindsOfSubjectAlternativeNames) {
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

TEST_F(WebTlsTest, TakesVersionsCiphersAndCurves) {
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

TEST_F(WebTlsTest, DefaultSuitesAreGos) {
  for (const bool rsa : {true, false}) {
    CertificateWish wish;
    wish.rsa = rsa;
    WritePair("server", MakeCertificate(wish, &ca));
    ASSERT_TRUE(Start(kTls));
    const std::string begin = rsa ? "ECDHE-RSA-" : "ECDHE-ECDSA-";
    std::set<std::string> expected;
    for (const char* end : {"AES128-GCM-SHA256", "AES256-GCM-SHA384",
                            "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA"}) {
      expected.insert(begin + end);
    }
    EXPECT_EQ(TakenSuites(server->address()), expected);
  }
}

TEST_F(WebTlsTest, ReloadsCertificates) {
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

TEST_F(WebTlsTest, AChangedFileDoesNotTurnTlsOff) {
  ASSERT_TRUE(Start(kTls));
  Write("web.yaml", "");
  EXPECT_EQ(PlainStatus(), 400);
  EXPECT_EQ(Status(*Tls()), 200);
}

}  // namespace
}  // namespace kem

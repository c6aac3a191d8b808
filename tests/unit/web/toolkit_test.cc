// The web configuration beside the Prometheus exporter-toolkit: what its test
// suite publishes (web/tls_config_test.go and web/testdata at 19a7c2d, July
// 2026) and what else was tried with it, each with its verdict and ours. Where
// they differ, the row says why.
#include <gmock/gmock.h>

#include <fstream>
#include <memory>
#include <string>

#include "testing/temp_folder.h"
#include "unit/net/certificates.h"
#include "web/web_settings.h"

namespace kem {
namespace {

using ::testing::HasSubstr;

enum class Verdict {
  kPlain,    // serves HTTP
  kTls,      // serves HTTPS
  kRefused,  // does not start
};

struct Row {
  const char* name;
  const char* text;
  Verdict toolkit;
  Verdict ours;
  // Of our refusal.
  const char* problem = "";
  // Why the two differ.
  const char* reason = "";
};

constexpr Verdict kPlain = Verdict::kPlain;
constexpr Verdict kTls = Verdict::kTls;
constexpr Verdict kRefused = Verdict::kRefused;

#define KEM_PAIR "cert_file: server.crt, key_file: server.key"
#define KEM_VERIFIED KEM_PAIR ", client_auth_type: RequireAndVerifyClientCert"
#define KEM_SALT "abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

// The toolkit's published configurations.
constexpr Row kPublished[] = {
    {"empty", "", kPlain, kPlain},
    {"junk", "hWkNKCp3fvIx3jKnsaBI\nTuEjdwNS8A2vYdFbiKqr\n", kRefused, kRefused,
     "the file must be a map"},
    {"junk_key", "tls_server_config: {cert_filse: server.crt}", kRefused,
     kRefused, "unknown key \"cert_filse\""},
    {"noAuth_certPath_empty",
     "tls_server_config: {cert_file: '', key_file: server.key}", kRefused,
     kRefused, "there is no certificate"},
    {"noAuth_cert_empty", "tls_server_config: {cert: '', key_file: server.key}",
     kRefused, kRefused, "there is no certificate"},
    {"noAuth_keyPath_empty",
     "tls_server_config: {cert_file: server.crt, key_file: ''}", kRefused,
     kRefused, "there is no key"},
    {"noAuth_key_empty", "tls_server_config: {cert_file: server.crt, key: ''}",
     kRefused, kRefused, "there is no key"},
    {"noAuth_certPath_keyPath_empty",
     "tls_server_config: {cert_file: '', key_file: '', client_auth_type: x}",
     kRefused, kRefused, "\"x\" must be one of NoClientCert"},
    {"noAuth_certPath_invalid",
     "tls_server_config: {cert_file: somefile, key_file: server.key}", kRefused,
     kRefused, "cert_file: cannot read"},
    {"noAuth_keyPath_invalid",
     "tls_server_config: {cert_file: server.crt, key_file: somefile}", kRefused,
     kRefused, "key_file: cannot read"},
    {"noAuth_certPath_keyPath_invalid",
     "tls_server_config: {cert_file: somefile, key_file: somefile}", kRefused,
     kRefused, "cert_file: cannot read"},
    {"noAuth (bad)",
     "tls_server_config: {" KEM_PAIR ", client_ca_file: /dev/null}", kRefused,
     kRefused, "client_ca has no effect without client_auth_type"},
    {"auth_clientCAs_invalid",
     "tls_server_config: {" KEM_PAIR ", client_ca_file: somefile}", kRefused,
     kRefused, "client_ca has no effect without client_auth_type"},
    {"auth_clientCAs_missing", "tls_server_config: {" KEM_VERIFIED "}", kTls,
     kTls},
    {"auth_user_list_invalid",
     "tls_server_config: {" KEM_PAIR "}\nbasic_auth_users: {john: doe}",
     kRefused, kRefused, "\"john\" is not a bcrypt hash"},
    {"noAuth_inventedCiphers",
     "tls_server_config: {" KEM_PAIR
     ", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]}",
     kRefused, kRefused, "is not one of Go's secure suites"},
    {"noAuth_inventedCurves",
     "tls_server_config: {" KEM_PAIR ", curve_preferences: [CurveP257]}",
     kRefused, kRefused, "\"CurveP257\" must be one of CurveP256"},
    {"noAuth_wrongTLSVersion",
     "tls_server_config: {" KEM_PAIR ", min_version: TLS111}", kRefused,
     kRefused, "\"TLS111\" must be one of TLS10"},
    {"noAuth (good)",
     "tls_server_config: {" KEM_PAIR
     ", client_auth_type: VerifyClientCertIfGiven}",
     kTls, kTls},
    {"noAuth_allCiphers",
     "tls_server_config: {" KEM_PAIR
     ", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,"
     " TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,"
     " TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
     " TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,"
     " TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256,"
     " TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256,"
     " TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,"
     " TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,"
     " TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,"
     " TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA]}",
     kTls, kTls},
    {"noAuth_allCurves",
     "tls_server_config: {" KEM_PAIR
     ", curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]}",
     kTls, kTls},
    {"noAuth_someCiphers_noOrder",
     "tls_server_config: {" KEM_PAIR
     ", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,"
     " TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],"
     " prefer_server_cipher_suites: false, min_version: TLS12,"
     " max_version: TLS12}",
     kTls, kTls},
    {"noAuth_noHTTP2",
     "tls_server_config: {" KEM_PAIR
     ", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],"
     " max_version: TLS12}\nhttp_server_config: {http2: false}",
     kTls, kTls},
    {"noAuth_noHTTP2Cipher",
     "tls_server_config: {" KEM_PAIR
     ", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],"
     " max_version: TLS12}",
     kRefused, kTls, "",
     "HTTP/2 requires another suite; the exporter serves HTTP/1.1 only"},
    {"headers",
     "http_server_config: {headers: {X-Frame-Options: deny,"
     " Strict-Transport-Security: max-age=31536000; includeSubDomains,"
     " X-Content-Type-Options: nosniff, X-XSS-Protection: 1,"
     " Content-Security-Policy: \"default-src 'self' *.test.example.net\"}}",
     kPlain, kPlain},
    {"headers_content_type_options",
     "http_server_config: {headers: {X-Content-Type-Options: sniff}}", kRefused,
     kRefused, "\"sniff\" must be one of nosniff"},
    {"headers_frame_options",
     "http_server_config: {headers: {X-Frame-Options: foo}}", kRefused,
     kRefused, "\"foo\" must be one of deny, sameorigin"},
    {"headers_extra_header",
     "http_server_config: {headers: {Content-Type: foo}}", kRefused, kRefused,
     "\"Content-Type\" must be one of"},
    {"requireanyclientcert",
     "tls_server_config: {" KEM_PAIR
     ", client_auth_type: RequireAnyClientCert}",
     kTls, kTls},
    {"requireandverifyclientcert",
     "tls_server_config: {" KEM_VERIFIED ", client_ca_file: ca.crt}", kTls,
     kTls},
    {"auth_client_san",
     "tls_server_config: {" KEM_VERIFIED
     ", client_ca_file: ca.crt, client_allowed_sans: [one, test3, two]}",
     kTls, kTls},
    {"rate_limiter_nonblocking", "rate_limit: {interval: 0, burst: 0}", kPlain,
     kPlain},
    {"rate_limiter_one_second", "rate_limit: {interval: 1s, burst: 0}", kPlain,
     kRefused, "a burst below 1 refuses every request",
     "it would answer every request with 429"},
    {"users_noTLS",
     "basic_auth_users:\n"
     "  alice: "
     "$2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby\n"
     "  bob: $2y$18$4VeFDzXIoPHKnKTU3O3GH.N.vZu06CVqczYZ8WvfzrddFU6tGqjR.\n",
     kPlain, kPlain},
};

// Further ones.
constexpr Row kOthers[] = {
    {"as a chart renders it",
     "tls_server_config: {cert_file: '', key_file: '', client_ca_file: '',"
     " client_auth_type: ''}",
     kPlain, kPlain},
    {"options without a certificate",
     "tls_server_config: {cert_file: '', min_version: TLS13}", kPlain, kRefused,
     "there is no certificate", "TLS was meant"},
    {"empty CA file",
     "tls_server_config: {" KEM_VERIFIED ", client_ca_file: empty}", kTls,
     kRefused, "/empty has no PEM certificate", "no client could connect"},
    {"blank CA file",
     "tls_server_config: {" KEM_VERIFIED ", client_ca_file: blank}", kTls,
     kRefused, "/blank has no PEM certificate", "no client could connect"},
    {"CA file that is a key",
     "tls_server_config: {" KEM_VERIFIED ", client_ca_file: server.key}", kTls,
     kRefused, "/server.key has no PEM certificate", "no client could connect"},
    {"blank inline CA",
     "tls_server_config: {" KEM_VERIFIED ", client_ca: \"\\n\"}", kTls,
     kRefused, "client_ca has no PEM certificate", "no client could connect"},
    {"CA without a value",
     "tls_server_config: {" KEM_VERIFIED ", client_ca_file: ''}", kTls,
     kRefused, "would trust every CA of the system",
     "every holder of a public certificate could connect"},
    {"no allowed names",
     "tls_server_config: {" KEM_VERIFIED
     ", client_ca_file: ca.crt, client_allowed_sans: []}",
     kTls, kRefused, "client_allowed_sans is empty", "no client could connect"},
    {"allowed names without a value",
     "tls_server_config: {" KEM_VERIFIED
     ", client_ca_file: ca.crt, client_allowed_sans: }",
     kTls, kTls},
    {"allowed names of clients without a certificate",
     "tls_server_config: {" KEM_PAIR ", client_allowed_sans: [a]}", kTls,
     kRefused, "client_allowed_sans does not stop clients",
     "it would not be checked"},
    {"certificate twice", "tls_server_config: {" KEM_PAIR ", cert: x}", kTls,
     kRefused, "cert and cert_file are both set", "one of them is ignored"},
    {"durations with fractions", "rate_limit: {interval: 1.5s, burst: 1}",
     kPlain, kPlain},
    {"durations that begin with a dot", "rate_limit: {interval: .5s, burst: 1}",
     kPlain, kPlain},
    {"microseconds", "rate_limit: {interval: 100us, burst: 1}", kPlain, kPlain},
    {"negative durations", "rate_limit: {interval: -1s, burst: 1}", kPlain,
     kRefused, "interval must be a duration", "it would not limit anything"},
    {"bcrypt cost 3", "basic_auth_users: {a: $2y$03$" KEM_SALT "}", kRefused,
     kRefused, "has the cost 3"},
    {"bcrypt cost 4", "basic_auth_users: {a: $2y$04$" KEM_SALT "}", kPlain,
     kPlain},
    {"bcrypt cost 19", "basic_auth_users: {a: $2y$19$" KEM_SALT "}", kPlain,
     kPlain},
    {"bcrypt cost 31", "basic_auth_users: {a: $2y$31$" KEM_SALT "}", kPlain,
     kPlain},
    {"bcrypt cost 32", "basic_auth_users: {a: $2y$32$" KEM_SALT "}", kRefused,
     kRefused, "has the cost 32"},
    {"merge key",
     "rate_limit: &rate {interval: 1s, burst: 1}\n"
     "basic_auth_users: {<<: {a: $2y$04$" KEM_SALT "}}",
     kPlain, kPlain},
    {"merge key with an unknown key", "rate_limit: {<<: {intervall: 1s}}",
     kRefused, kRefused, "unknown key \"intervall\""},
    {"a key twice", "rate_limit: {burst: 1, burst: 2}", kRefused, kRefused,
     "\"burst\" is given twice"},
    {"two documents", "{}\n---\na: b", kPlain, kRefused,
     "a second YAML document begins", "it is ignored"},
};

class ToolkitTest : public ::testing::Test {
 protected:
  ToolkitTest() {
    const PemPair ca = MakeCa();
    const PemPair server = MakeCertificate({}, &ca);
    Write("ca.crt", ca.certificate);
    Write("server.crt", server.certificate);
    Write("server.key", server.key);
    Write("empty", "");
    Write("blank", "\n \n");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder.path() + "/" + name) << text;
  }

  void Check(const Row& row) {
    SCOPED_TRACE(row.name);
    // A difference is a decision with a reason.
    EXPECT_EQ(row.toolkit != row.ours, *row.reason != '\0');
    Write("web.yaml", row.text);
    const auto opened = WebSettingsFile::Open(folder.path() + "/web.yaml");
    if (!opened) {
      EXPECT_EQ(row.ours, kRefused) << opened.error().message;
      EXPECT_THAT(opened.error().message, HasSubstr(row.problem));
      return;
    }
    const bool tls =
        (*opened)->Current({}, std::chrono::hours(1)).context != nullptr;
    EXPECT_EQ(row.ours, tls ? kTls : kPlain);
    EXPECT_STREQ(row.problem, "");
  }

  TempFolder folder;
};

TEST_F(ToolkitTest, PublishedConfigurations) {
  for (const Row& row : kPublished) Check(row);
}

TEST_F(ToolkitTest, OtherConfigurations) {
  for (const Row& row : kOthers) Check(row);
}

TEST_F(ToolkitTest, AMissingFileIsRefused) {
  const auto opened = WebSettingsFile::Open(folder.path() + "/somefile");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("cannot read"));
}

}  // namespace
}  // namespace kem

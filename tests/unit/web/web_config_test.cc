#include "web/web_config.h"

#include <gmock/gmock.h>

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kHash[] =
    "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

Result<WebConfig> Parse(const std::string& text) {
  return ParseWebConfig(text, "conf/web.yaml");
}

std::string Problem(const std::string& text) {
  const auto parsed = Parse(text);
  if (parsed) return "";
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidConfig);
  return parsed.error().message;
}

TEST(WebConfigTest, AnEmptyFileSetsNothing) {
  const char* const empty_parts =
      "tls_server_config: {}\nbasic_auth_users: {}\n"
      "http_server_config:\nrate_limit:\n";
  for (const char* text :
       {"", "---\n", "{}", "tls_server_config:\n", empty_parts}) {
    const auto config = Parse(text);
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_FALSE(config->tls);
    EXPECT_TRUE(config->users.empty());
    EXPECT_TRUE(config->headers.empty());
    EXPECT_EQ(config->rate_interval.count(), 0);
  }
}

TEST(WebConfigTest, EmptyValuesAsAChartRendersThemSetNothing) {
  const auto config = Parse(
      "tls_server_config: {cert_file: '', key_file: \"\", client_ca_file: , "
      "cert: '', client_auth_type: ''}\nbasic_auth_users: {}\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->tls);
  const auto tls = Parse(
      "tls_server_config: {cert_file: a, key_file: b, cert: '', key: '', "
      "client_ca_file: '', client_auth_type: NoClientCert}\n");
  ASSERT_TRUE(tls) << tls.error().message;
  EXPECT_EQ(tls->tls->cert_file, "conf/a");
  EXPECT_EQ(tls->tls->client_ca_file, "");
}

TEST(WebConfigTest, ReadsMergeKeys) {
  const auto config = Parse(
      "basic_auth_users: &users\n  a: " + std::string(kHash) +
      "\nrate_limit: &rate {interval: 1s, burst: 3}\n"
      "http_server_config:\n  headers:\n    <<: [{X-Frame-Options: deny}, "
      "{X-Frame-Options: sameorigin, X-XSS-Protection: x}]\n"
      "    X-XSS-Protection: y\n");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->headers, ElementsAre(Pair("X-XSS-Protection", "y"),
                                           Pair("X-Frame-Options", "deny")));
  const auto merged = Parse(
      "tls_server_config: &tls\n  cert: x\n  key: y\n  min_version: TLS13\n"
      "<<: {tls_server_config: {}, rate_limit: {interval: 2s, burst: 1}}\n");
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(merged->tls->min_version, 3);
  EXPECT_EQ(merged->rate_interval, std::chrono::seconds(2));
}

TEST(WebConfigTest, RefusesMergeKeysThatAreNoMaps) {
  const std::pair<const char*, const char*> problems[] = {
      {"<<: 1", "line 1: the merge key (<<) of the file must be a map"},
      {"<<:", "the merge key (<<) of the file must be a map"},
      {"<<: [[]]", "line 1: << must list maps"},
      {"<<: {a: b}", "line 1: the file has the unknown key \"a\""},
      {"<<: {}\n<<: {}", "line 2: \"<<\" is given twice"},
      {"rate_limit: &r\n  <<: *r",
       "line 1: there are more than 100 merge keys"}};
  for (const auto& [text, problem] : problems) {
    EXPECT_THAT(Problem(text), HasSubstr(problem)) << text;
  }
}

TEST(WebConfigTest, ReadsDurationsAsGo) {
  const std::pair<const char*, std::chrono::nanoseconds> durations[] = {
      {"1.5s", std::chrono::milliseconds(1500)},
      {".5s", std::chrono::milliseconds(500)},
      {"100us", std::chrono::microseconds(100)},
      {"1h1m1s", std::chrono::seconds(3661)},
      {"0", std::chrono::nanoseconds(0)}};
  for (const auto& [text, duration] : durations) {
    const auto config =
        Parse("rate_limit: {interval: " + std::string(text) + ", burst: 1}");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->rate_interval, duration) << text;
  }
}

TEST(WebConfigTest, ReadsEveryKey) {
  const auto config = Parse(std::string(R"(
tls_server_config:
  cert_file: server.crt
  key_file: /etc/server.key
  client_ca_file: ../ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus, 10.0.0.1]
  min_version: TLS13
  max_version: TLS13
  cipher_suites:
  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256, X25519]
http_server_config:
  http2: false
  headers:
    Strict-Transport-Security: max-age=60
    X-Frame-Options: deny
    Content-Security-Policy: ""
    X-XSS-Protection:
basic_auth_users:
  alice: )") + kHash + "\nrate_limit: {interval: 1s, burst: 3}\n");
  ASSERT_TRUE(config) << config.error().message;
  ASSERT_TRUE(config->tls);
  EXPECT_EQ(config->tls->cert_file, "conf/server.crt");
  EXPECT_EQ(config->tls->key_file, "/etc/server.key");
  EXPECT_EQ(config->tls->client_ca_file, "conf/../ca.crt");
  EXPECT_EQ(config->tls->client_auth, ClientAuth::kRequireVerified);
  EXPECT_THAT(config->tls->client_allowed_sans,
              ElementsAre("prometheus", "10.0.0.1"));
  EXPECT_EQ(config->tls->min_version, 3);
  EXPECT_FALSE(config->tls->prefer_server_cipher_suites);
  EXPECT_THAT(config->tls->curves, ElementsAre("X25519", "P-256"));
  EXPECT_THAT(config->headers,
              ElementsAre(Pair("Strict-Transport-Security", "max-age=60"),
                          Pair("X-Frame-Options", "deny")));
  EXPECT_THAT(config->users, ElementsAre(Pair("alice", kHash)));
  EXPECT_EQ(config->rate_interval, std::chrono::seconds(1));
  EXPECT_EQ(config->rate_burst, 3);
}

TEST(WebConfigTest, DefaultsAreTheToolkits) {
  const auto config = Parse("tls_server_config: {cert: x, key: y}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->tls->client_auth, ClientAuth::kNone);
  EXPECT_EQ(config->tls->min_version, 2);
  EXPECT_EQ(config->tls->max_version, 3);
  EXPECT_TRUE(config->tls->prefer_server_cipher_suites);
}

TEST(WebConfigTest, KnowsGosClientAuthTypes) {
  const std::pair<const char*, ClientAuth> types[] = {
      {"NoClientCert", ClientAuth::kNone},
      {"RequestClientCert", ClientAuth::kRequest},
      {"RequireClientCert", ClientAuth::kRequireAny},
      {"RequireAnyClientCert", ClientAuth::kRequireAny},
      {"VerifyClientCertIfGiven", ClientAuth::kVerifyIfGiven},
      {"RequireAndVerifyClientCert", ClientAuth::kRequireVerified}};
  for (const auto& [name, type] : types) {
    const auto config =
        Parse(std::string("tls_server_config: {cert: x, key: y, "
                          "client_auth_type: ") +
              name + "}");
    ASSERT_TRUE(config) << config.error().message;
    EXPECT_EQ(config->tls->client_auth, type) << name;
  }
}

TEST(WebConfigTest, ProblemsHaveFileLineAndFix) {
  EXPECT_EQ(Problem("\ntls_server_confg: {}"),
            "--web.config.file conf/web.yaml line 2: the file has the unknown "
            "key \"tls_server_confg\"; valid keys are tls_server_config, "
            "http_server_config, basic_auth_users, rate_limit");
  const std::pair<const char*, const char*> problems[] = {
      {"[]", "line 1: the file must be a map"},
      {"{}\n---\nbasic_auth_users: {}", "line 2: a second YAML document"},
      {"a: [", "the file is not valid YAML"},
      {"tls_server_config: 3", "tls_server_config must be a map"},
      {"tls_server_config: {cert: x, cert: y}", "\"cert\" is given twice"},
      {"tls_server_config: {cert: [x]}", "cert must be a single value"},
      {"tls_server_config:\n  cert_fil: x",
       "line 2: tls_server_config has the unknown key \"cert_fil\""},
      {"tls_server_config: {min_version: TLS12}", "set cert_file or cert"},
      {"tls_server_config: {cert: x}", "set key_file or key"},
      {"tls_server_config: {cert: x, cert_file: y, key: z}",
       "cert and cert_file are both set"},
      {"tls_server_config: {cert: x, key: y, client_ca: z}",
       "set client_auth_type: RequireAndVerifyClientCert"},
      {"tls_server_config: {cert: x, key: y, client_auth_type: Yes}",
       "\"Yes\" must be one of NoClientCert"},
      {"tls_server_config: {cert: x, key: y, client_allowed_sans: [a]}",
       "client_allowed_sans does not stop clients"},
      {"tls_server_config: {cert: x, key: y, client_auth_type: "
       "RequireAnyClientCert, client_allowed_sans: []}",
       "line 1: client_allowed_sans is empty; list the names"},
      {"tls_server_config: {cert: x, key: y, client_ca_file: '', "
       "client_auth_type: RequireAndVerifyClientCert}",
       "client_ca_file is empty, which would trust every CA of the system"},
      {"tls_server_config: {cert: x, key: y, client_ca: '', "
       "client_auth_type: VerifyClientCertIfGiven}",
       "client_ca_file is empty"},
      {"tls_server_config: {cert_file: '', min_version: TLS12}",
       "set cert_file or cert"},
      {"tls_server_config: {cert_file: '', client_allowed_sans: [a]}",
       "set cert_file or cert"},
      {"tls_server_config: {cert: x, key: y, min_version: TLS14}",
       "\"TLS14\" must be one of TLS10, TLS11, TLS12, TLS13"},
      {"tls_server_config: {cert: x, key: y, max_version: TLS11}",
       "min_version is above max_version"},
      {"tls_server_config: {cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}",
       "\"TLS_RSA_WITH_RC4_128_SHA\" is not one of Go's secure suites"},
      {"tls_server_config: {cipher_suites: x}", "must be a list"},
      {"tls_server_config: {curve_preferences: [P256]}",
       "\"P256\" must be one of CurveP256"},
      {"tls_server_config: {prefer_server_cipher_suites: maybe}",
       "must be true or false"},
      {"http_server_config: {http2: 2}", "http2 must be true or false"},
      {"http_server_config: {headers: {Server: x}}",
       "\"Server\" must be one of Content-Security-Policy"},
      {"http_server_config: {headers: {Server: }}", "must be one of"},
      {"http_server_config: {headers: {X-Frame-Options: DENY}}",
       "\"DENY\" must be one of deny, sameorigin"},
      {"http_server_config: {headers: {X-XSS-Protection: \"a\\nb\"}}",
       "write it on one line"},
      {"rate_limit: {interval: often}", "interval must be a duration"},
      {"rate_limit: {interval: -1s}", "interval must be a duration"},
      {"rate_limit: {burst: -1}", "burst must be an integer"},
      {"rate_limit: {interval: 1s}", "set 1 or more"},
      {"basic_auth_users: [a]", "basic_auth_users must be a map"},
      {"basic_auth_users: {a: }",
       "line 1: basic_auth_users: the value of \"a\" is not a bcrypt"}};
  for (const auto& [text, problem] : problems) {
    EXPECT_THAT(Problem(text), HasSubstr(problem)) << text;
    EXPECT_THAT(Problem(text), HasSubstr("conf/web.yaml"));
  }
}

TEST(WebConfigTest, OnlyBcryptAndNeverInErrors) {
  const std::string hash = kHash;
  for (const char* start : {"$2a$10$", "$2b$04$", "$2y$18$", "$2y$31$"}) {
    EXPECT_EQ(
        Problem("basic_auth_users: {a: " + (start + hash.substr(7)) + "}"), "");
  }
  for (const std::string& wrong :
       {std::string("secret"), hash.substr(1), hash + "x",
        "$2x" + hash.substr(3), "$2y$32$" + hash.substr(7),
        "$2y$03$" + hash.substr(7), hash.substr(0, 59) + "!"}) {
    const std::string problem =
        Problem("basic_auth_users:\n  a: \"" + wrong + "\"");
    EXPECT_THAT(problem, HasSubstr("line 2: basic_auth_users"));
    EXPECT_THAT(problem, Not(HasSubstr(wrong)));
  }
  EXPECT_THAT(Problem("basic_auth_users: {\"a:b\": " + hash + "}"),
              HasSubstr("must not contain a colon"));
}

}  // namespace
}  // namespace kem

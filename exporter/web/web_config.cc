#include "web/web_config.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/duration.h"
#include "config/strict_yaml.h"

namespace kem {
namespace {

// Go's tls.CipherSuites(); those of TLS 1.3 are always on.
constexpr std::string_view kCiphers[] = {
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"};

class Reader : public StrictYaml {
 public:
  using Node = YAML::Node;

  explicit Reader(const std::string& path)
      : StrictYaml("--web.config.file " + path, path) {}

  void ReadRoot(const Node& root) {
    ReadMap(root, "the file",
            {{"tls_server_config", [&](const Node& n) { ReadTls(n); }},
             {"http_server_config", [&](const Node& n) { ReadHttp(n); }},
             {"basic_auth_users", [&](const Node& n) { ReadUsers(n); }},
             {"rate_limit", [&](const Node& n) { ReadRate(n); }}});
  }
  WebConfig Take() { return std::move(config_); }

 private:
  int Version(const Node& node, const std::string& what) {
    return static_cast<int>(OneOf(node, Text(node, what), what,
                                  {"TLS10", "TLS11", "TLS12", "TLS13"}));
  }

  void ReadCiphers(const Node& node, WebTlsConfig& tls) {
    tls.cipher_suites = Texts(node, "cipher_suites");
    for (const std::string& name : tls.cipher_suites) {
      if (std::find(std::begin(kCiphers), std::end(kCiphers), name) ==
          std::end(kCiphers)) {
        return Fail(node, "cipher_suites: " + Quoted(name) +
                              " is not one of Go's secure suites, such as "
                              "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
      }
    }
  }

  void ReadCurves(const Node& node, WebTlsConfig& tls) {
    static constexpr const char* kOpenSslNames[] = {"P-256", "P-384", "P-521",
                                                    "X25519"};
    for (const std::string& name : Texts(node, "curve_preferences")) {
      const char* curve = kOpenSslNames[OneOf(
          node, name, "curve_preferences:",
          {"CurveP256", "CurveP384", "CurveP521", "X25519"})];
      // OpenSSL refuses duplicates.
      if (std::find(tls.curves.begin(), tls.curves.end(), curve) ==
          tls.curves.end()) {
        tls.curves.emplace_back(curve);
      }
    }
  }

  ClientAuth ReadClientAuth(const Node& node) {
    constexpr ClientAuth kTypes[] = {
        ClientAuth::kNone, ClientAuth::kRequest, ClientAuth::kRequireAny,
        ClientAuth::kVerifyIfGiven, ClientAuth::kRequireVerified};
    std::string name = Text(node, "client_auth_type");
    if (name.empty()) name = "NoClientCert";
    // The toolkit's former name.
    if (name == "RequireClientCert") name = "RequireAnyClientCert";
    return kTypes[OneOf(
        node, name, "client_auth_type",
        {"NoClientCert", "RequestClientCert", "RequireAnyClientCert",
         "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"})];
  }

  void ReadTls(const Node& node) {
    WebTlsConfig tls;
    bool ca_given = false;
    const auto text = [this](std::string& to, const char* key) {
      return Field{key, [=, this, &to](const Node& n) { to = Text(n, key); }};
    };
    const auto file = [this](std::string& to, const char* key) {
      return Field{key, [=, this, &to](const Node& n) { to = File(n, key); }};
    };
    ReadMap(
        node, "tls_server_config",
        {text(tls.cert, "cert"),
         text(tls.key, "key"),
         {"client_ca",
          [&](const Node& n) {
            tls.client_ca = Text(n, "client_ca");
            ca_given = true;
          }},
         file(tls.cert_file, "cert_file"),
         file(tls.key_file, "key_file"),
         {"client_ca_file",
          [&](const Node& n) {
            tls.client_ca_file = File(n, "client_ca_file");
            ca_given = true;
          }},
         {"client_auth_type",
          [&](const Node& n) { tls.client_auth = ReadClientAuth(n); }},
         {"client_allowed_sans",
          [&](const Node& n) {
            tls.client_allowed_sans = Texts(n, "client_allowed_sans");
            if (tls.client_allowed_sans.empty()) {
              Fail(n,
                   "client_allowed_sans is empty; list the names of clients "
                   "that may connect, or remove the key");
            }
          }},
         {"min_version",
          [&](const Node& n) { tls.min_version = Version(n, "min_version"); }},
         {"max_version",
          [&](const Node& n) { tls.max_version = Version(n, "max_version"); }},
         {"cipher_suites", [&](const Node& n) { ReadCiphers(n, tls); }},
         {"prefer_server_cipher_suites",
          [&](const Node& n) {
            tls.prefer_server_cipher_suites =
                Flag(n, "prefer_server_cipher_suites");
          }},
         {"curve_preferences", [&](const Node& n) { ReadCurves(n, tls); }}});
    if (Failed() || !HasValues(node)) return;
    CheckTls(node, tls, ca_given);
    config_.tls = std::move(tls);
  }

  // False for empty values only, as a chart renders what is not set.
  bool HasValues(const Node& node) {
    bool found = false;
    ReadPairs(node, "tls_server_config", [&](const Node&, const Node& value) {
      found = found || (!value.IsNull() &&
                        (!value.IsScalar() || !value.Scalar().empty()));
    });
    return found;
  }

  void CheckTls(const Node& node, const WebTlsConfig& tls, bool ca_given) {
    const auto fail = [&](const std::string& problem) {
      Fail(node, "tls_server_config: " + problem);
    };
    const auto check_pair = [&](const std::string& inlined,
                                const std::string& file, const char* name) {
      if (!inlined.empty() && !file.empty()) {
        fail(std::string(name) + " and " + name +
             "_file are both set; keep one of them");
      }
    };
    check_pair(tls.cert, tls.cert_file, "cert");
    check_pair(tls.key, tls.key_file, "key");
    check_pair(tls.client_ca, tls.client_ca_file, "client_ca");
    if (tls.cert.empty() && tls.cert_file.empty()) {
      fail("there is no certificate; set cert_file or cert");
    }
    if (tls.key.empty() && tls.key_file.empty()) {
      fail("there is no key for the certificate; set key_file or key");
    }
    if (tls.min_version > tls.max_version) {
      fail("min_version is above max_version; remove max_version");
    }
    const bool has_ca = !tls.client_ca.empty() || !tls.client_ca_file.empty();
    if (has_ca && tls.client_auth == ClientAuth::kNone) {
      fail(
          "client_ca has no effect without client_auth_type; set "
          "client_auth_type: RequireAndVerifyClientCert");
    }
    const bool verifies = tls.client_auth == ClientAuth::kVerifyIfGiven ||
                          tls.client_auth == ClientAuth::kRequireVerified;
    if (verifies && !has_ca && ca_given) {
      fail(
          "client_ca_file is empty, which would trust every CA of the system; "
          "name the file with the CA of the clients");
    }
    if (!tls.client_allowed_sans.empty() &&
        tls.client_auth != ClientAuth::kRequireAny &&
        tls.client_auth != ClientAuth::kRequireVerified) {
      fail(
          "client_allowed_sans does not stop clients without a certificate; "
          "set "
          "client_auth_type: RequireAndVerifyClientCert or "
          "RequireAnyClientCert");
    }
  }

  void ReadHttp(const Node& node) {
    ReadMap(node, "http_server_config",
            // Clients that support HTTP/2 also support HTTP/1.1.
            {{"http2", [&](const Node& n) { Flag(n, "http2"); }},
             {"headers", [&](const Node& n) {
                ReadPairs(n, "headers", [&](const Node& k, const Node& v) {
                  ReadHeader(k, v);
                });
              }}});
  }

  void ReadHeader(const Node& key, const Node& value) {
    const std::string& name = key.Scalar();
    OneOf(
        key, name, "the header",
        {"Content-Security-Policy", "X-Frame-Options", "X-Content-Type-Options",
         "X-XSS-Protection", "Strict-Transport-Security"});
    std::string text = value.IsNull() ? "" : Text(value, name);
    // An empty value leaves the header out.
    if (Failed() || text.empty()) return;
    if (name == "X-Frame-Options") {
      OneOf(value, text, name, {"deny", "sameorigin"});
    } else if (name == "X-Content-Type-Options") {
      OneOf(value, text, name, {"nosniff"});
    }
    if (std::any_of(text.begin(), text.end(), IsAsciiControl)) {
      Fail(value, name +
                      " contains a line break or another control "
                      "character; write it on one line");
    }
    config_.headers.emplace_back(name, std::move(text));
  }

  void ReadUsers(const Node& node) {
    ReadPairs(node, "basic_auth_users",
              [&](const Node& k, const Node& v) { ReadUser(k, v); });
  }

  // Errors never contain the hash.
  void ReadUser(const Node& key, const Node& value) {
    const std::string& name = key.Scalar();
    const auto fail = [&](const std::string& problem) {
      Fail(key, "basic_auth_users: " + problem);
    };
    const std::string hash = value.IsScalar() ? value.Scalar() : "";
    // "$2b$10$" and 53 characters of salt and hash.
    const bool shaped =
        hash.size() == 60 && hash.starts_with("$2") &&
        std::string_view("aby").find(hash[2]) != std::string_view::npos &&
        hash[3] == '$' && IsAsciiDigit(hash[4]) && IsAsciiDigit(hash[5]) &&
        hash[6] == '$' && std::all_of(hash.begin() + 7, hash.end(), [](char c) {
          return IsAsciiAlphanumeric(c) || c == '.' || c == '/';
        });
    if (!shaped) {
      return fail(
          "the value of " + Quoted(name) +
          " is not a bcrypt hash; create one with htpasswd -nBC 10 \"\" "
          "| tr -d ':\\n'");
    }
    const int cost = (hash[4] - '0') * 10 + (hash[5] - '0');
    if (cost < 4 || cost > 31) {
      return fail("the hash of " + Quoted(name) + " has the cost " +
                  std::to_string(cost) +
                  "; create one with a cost from 4 to 31, such as 10");
    }
    if (name.find(':') != std::string::npos) {
      return fail("the user name " + Quoted(name) +
                  " must not contain a colon, which ends it in a login");
    }
    config_.users[name] = hash;
  }

  void ReadRate(const Node& node) {
    ReadMap(node, "rate_limit",
            {{"interval",
              [&](const Node& n) {
                const auto interval = ParseNanoseconds(Text(n, "interval"));
                if (!interval) {
                  return Fail(n, "interval must be a duration, such as 100ms");
                }
                config_.rate_interval = *interval;
              }},
             {"burst", [&](const Node& n) {
                const auto burst = ParseNumber<int>(Text(n, "burst"));
                if (!burst || *burst < 0) {
                  return Fail(n, "burst must be an integer of 0 or more");
                }
                config_.rate_burst = *burst;
              }}});
    if (config_.rate_interval.count() > 0 && config_.rate_burst < 1) {
      Fail(node,
           "rate_limit: a burst below 1 refuses every request; set 1 or more");
    }
  }

  WebConfig config_;
};

}  // namespace

Result<WebConfig> ParseWebConfig(std::string_view text,
                                 const std::string& path) {
  Reader reader(path);
  reader.ReadDocument(text,
                      [&](const YAML::Node& root) { reader.ReadRoot(root); });
  if (reader.Failed()) return reader.error();
  return reader.Take();
}

}  // namespace kem

// The file of --web.config.file, in the format of the Prometheus
// exporter-toolkit (docs/web-configuration.md there): text to values, all of
// them judged. Used by WebSettings and a fuzzer. Reads no files, builds nothing
// of OpenSSL and checks no password.
//
// Stricter than the toolkit where that one would be silently insecure: TLS
// options without a certificate, and a certificate given twice, are errors.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace kem {

// Go's crypto/tls.ClientAuthType.
enum class ClientAuth {
  kNone,             // NoClientCert
  kRequest,          // RequestClientCert: any or none, not verified
  kRequireAny,       // RequireAnyClientCert: not verified
  kVerifyIfGiven,    // VerifyClientCertIfGiven
  kRequireVerified,  // RequireAndVerifyClientCert
};

// PEM inline or as a file's name, which is absolute or as the process sees it;
// never both.
struct WebTlsConfig {
  std::string cert;
  std::string key;
  std::string client_ca;
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;
  ClientAuth client_auth = ClientAuth::kNone;
  // Empty: any.
  std::vector<std::string> client_allowed_sans;
  // 1.x as x.
  int min_version = 2;
  int max_version = 3;
  // IANA names, in order; empty: OpenSSL's choice.
  std::vector<std::string> cipher_suites;
  bool prefer_server_cipher_suites = true;
  // OpenSSL's names, in order; empty: OpenSSL's choice.
  std::vector<std::string> curves;
};

struct WebConfig {
  // None: plain HTTP.
  std::optional<WebTlsConfig> tls;
  std::vector<std::pair<std::string, std::string>> headers;
  // Name and bcrypt hash; none: no authentication.
  std::map<std::string, std::string> users;
  // One request each, after a burst; 0: no limit.
  std::chrono::milliseconds rate_interval{0};
  int rate_burst = 0;
};

// `path` is for errors and where relative file names start. The error is
// kInvalidConfig, one sentence with file and line and no secret. Pure.
Result<WebConfig> ParseWebConfig(std::string_view text,
                                 const std::string& path);

}  // namespace kem

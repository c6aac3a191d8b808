// Parses the file of --web.config.file, in the format of the Prometheus
// exporter-toolkit (its docs/web-configuration.md), into checked values. Used
// by WebSettings and a fuzzer. Reads no other file, creates nothing of OpenSSL
// and checks no password.
//
// Stricter than the toolkit where that would be insecure or useless without a
// warning: TLS options without a certificate, a certificate given twice, an
// empty client CA or list of names, a rate that admits nothing and a second
// YAML document are errors. tests/unit/web/toolkit.yaml compares the two.
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

// PEM inline or the name of a file, never both. File names are absolute or
// relative to the working directory.
struct WebTlsConfig {
  std::string cert;
  std::string key;
  std::string client_ca;
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;
  ClientAuth client_auth = ClientAuth::kNone;
  // Empty allows any.
  std::vector<std::string> client_allowed_sans;
  // x of TLS 1.x.
  int min_version = 2;
  int max_version = 3;
  // IANA names in order of preference; empty uses all that are valid.
  std::vector<std::string> cipher_suites;
  bool prefer_server_cipher_suites = true;
  // OpenSSL names in order of preference; empty uses OpenSSL's default.
  std::vector<std::string> curves;
};

struct WebConfig {
  // Not set for plain HTTP.
  std::optional<WebTlsConfig> tls;
  std::vector<std::pair<std::string, std::string>> headers;
  // bcrypt hashes by user name; empty disables authentication.
  std::map<std::string, std::string> users;
  // One request per interval after a burst; 0 disables the limit.
  std::chrono::nanoseconds rate_interval{0};
  int rate_burst = 0;
};

// `path` appears in errors, and relative file names start in its folder. The
// error is kInvalidConfig, one sentence with file and line, without secrets.
Result<WebConfig> ParseWebConfig(std::string_view text,
                                 const std::string& path);

}  // namespace kem

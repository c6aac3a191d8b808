// ParseWebConfig survives any text, accepts only what its users can rely on,
// and rejects the rest with one sentence.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/fuzzing.h"
#include "web/web_config.h"

namespace {

void RequireUsable(const kem::WebTlsConfig& tls) {
  kem::Require(tls.cert.empty() != tls.cert_file.empty() &&
                   tls.key.empty() != tls.key_file.empty(),
               "there is one certificate and one key");
  kem::Require(tls.client_allowed_sans.empty() ||
                   tls.client_auth == kem::ClientAuth::kRequireAny ||
                   tls.client_auth == kem::ClientAuth::kRequireVerified,
               "names are asked of clients that must have a certificate");
  kem::Require(tls.client_auth != kem::ClientAuth::kNone ||
                   (tls.client_ca.empty() && tls.client_ca_file.empty()),
               "a client CA is used");
  kem::Require(0 <= tls.min_version && tls.min_version <= tls.max_version &&
                   tls.max_version <= 3,
               "versions are a range");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = kem::ParseWebConfig(text, "/etc/web.yaml");
  if (!parsed) {
    kem::Require(parsed.error().code == kem::ErrorCode::kInvalidConfig &&
                     parsed.error().message.starts_with(
                         "--web.config.file /etc/web.yaml"),
                 "a bad file is reported by its name");
    return 0;
  }
  if (parsed->tls) RequireUsable(*parsed->tls);
  for (const auto& [name, hash] : parsed->users) {
    kem::Require(hash.size() == 60 && hash.starts_with("$2"),
                 "a hash is bcrypt's");
    kem::Require(name.find(':') == std::string::npos, "a name can log in");
  }
  for (const auto& [name, value] : parsed->headers) {
    kem::Require(value.find_first_of("\r\n") == std::string::npos,
                 "a header is one line");
  }
  kem::Require(
      parsed->rate_interval.count() >= 0 &&
          (parsed->rate_interval.count() == 0 || parsed->rate_burst > 0),
      "a rate limit lets somebody through");
  return 0;
}

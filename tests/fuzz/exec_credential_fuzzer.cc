// ParseExecCredential survives any output. It accepts only a token that is
// valid in a header, or a certificate and key. Errors quote nothing of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "apiserver/exec_credential.h"
#include "fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* version : {"client.authentication.k8s.io/v1",
                              "client.authentication.k8s.io/v1beta1"}) {
    const auto parsed = kem::ParseExecCredential(text, version);
    if (!parsed) {
      kem::Require(!parsed.error().message.empty() &&
                       parsed.error().message.size() < 200,
                   "an error is a short sentence");
      continue;
    }
    kem::Require(!parsed->token.empty() || !parsed->key_pem.empty(),
                 "a credential has something to show");
    kem::Require(parsed->certificate_pem.empty() == parsed->key_pem.empty(),
                 "a certificate has a key");
    kem::Require(std::all_of(parsed->token.begin(), parsed->token.end(),
                             [](char c) { return c > ' ' && c < '\x7F'; }),
                 "a token can stand in a header");
  }
  return 0;
}

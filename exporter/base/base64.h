// Standard base64 (RFC 4648 section 4), as in kubeconfigs and HTTP basic
// authentication. Not the URL alphabet. Pure functions, thread-safe.
// The codec is OpenSSL's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kem {

// Skips white space, because kubeconfigs fold long values. Empty for any other
// foreign character, wrong padding or a truncated text.
std::optional<std::string> DecodeBase64(std::string_view text);

std::string EncodeBase64(std::string_view bytes);

}  // namespace kem

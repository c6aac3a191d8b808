// Standard base64 (RFC 4648 section 4), as kubeconfigs hold certificates and
// as HTTP basic authentication wants it. Not the URL alphabet. Pure functions,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kem {

// The bytes. White space is passed over, as kubeconfigs fold long values;
// empty for any other foreign character, wrong padding or a cut-off text.
std::optional<std::string> DecodeBase64(std::string_view text);

std::string EncodeBase64(std::string_view bytes);

}  // namespace kem

// Bytes as text: base64 (RFC 4648 section 4), as in kubeconfigs and HTTP basic
// authentication, and the percent-encoding of URLs (RFC 3986 section 2.1), as
// in paths, queries, header names and proxy URLs. Not base64's URL alphabet.
// Pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kem {

// Skips white space, because kubeconfigs fold long values. Empty for any other
// foreign character, wrong padding or a truncated text.
std::optional<std::string> DecodeBase64(std::string_view text);

std::string EncodeBase64(std::string_view bytes);

// Encodes everything but ASCII letters, digits and `allowed`, by default RFC
// 3986's unreserved characters: fit for one path segment or one query value.
std::string PercentEncode(std::string_view text,
                          std::string_view allowed = "-._~");

// Empty when a '%' does not precede two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace kem

// Percent-encoding of URLs (RFC 3986 section 2.1). Used for paths, queries and
// header names of requests and for user names in proxy URLs. Pure functions,
// thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kem {

// Encodes everything but ASCII letters, digits and `allowed`, by default RFC
// 3986's unreserved characters: fit for one path segment or one query value.
std::string PercentEncode(std::string_view text,
                          std::string_view allowed = "-._~");

// Empty when a '%' does not precede two hexadecimal digits.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace kem

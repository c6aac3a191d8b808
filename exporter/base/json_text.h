// JSON values as text on one line, the same way everywhere. Sinks, requests,
// logs and error messages use it. It does not escape hidden characters: see
// base/safe_text.h.
#pragma once

#include <string>

namespace kem {

enum class JsonCharacters { kUtf8, kAscii };

// `value`, an nlohmann::json or ordered_json, without spaces. Bytes that are
// not UTF-8 become U+FFFD (nlohmann/json's default throws). kAscii writes all
// other characters as \u escapes. Thread-safe.
template <typename Json>
std::string JsonText(const Json& value,
                     JsonCharacters characters = JsonCharacters::kUtf8) {
  return value.dump(-1, ' ', characters == JsonCharacters::kAscii,
                    Json::error_handler_t::replace);
}

}  // namespace kem

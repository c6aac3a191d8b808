// Members of a parsed JSON value from outside, an nlohmann::json, where
// anything may be missing or of another type. Used for responses of the API
// server. Does not parse. All calls are thread-safe.
#pragma once

#include <string>

namespace kem {

// The member at `path`, a JSON pointer such as "/metadata/uid"; else null. The
// reference is valid as long as `value`.
template <typename Json>
const Json& MemberAt(const Json& value, const char* path) {
  static const Json nothing;
  const typename Json::json_pointer pointer(path);
  return value.contains(pointer) ? value.at(pointer) : nothing;
}

// The text at `path`; empty when there is none.
template <typename Json>
std::string TextAt(const Json& value, const char* path) {
  const Json& found = MemberAt(value, path);
  return found.is_string() ? found.template get<std::string>() : "";
}

}  // namespace kem

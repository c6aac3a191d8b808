// JSON strings with half of a surrogate pair (\ud800), which is no character.
// simdjson refuses such a string; Go reads U+FFFD in its place, and so do the
// API server and kubectl. Used by EventDecoder for strings that simdjson
// refuses.
#pragma once

#include <string>
#include <string_view>

namespace kem {

// The text of what is between the quotes of a JSON string. Empty if that has
// another invalid escape. Thread-safe.
std::string UnescapeWithLoneSurrogates(std::string_view escaped);

}  // namespace kem

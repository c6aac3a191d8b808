// Cuts the long strings of a JSON object before it is parsed. A message can
// have megabytes, of which the exporter uses a few kilobytes at most, and the
// parser needs six bytes of memory for each byte. Used by EventDecoder. Does
// not validate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kem {

// Appends the object at the start of `json` to `out`. Strings of more than
// `max_string` written bytes are cut to at most that, never inside an escape, a
// surrogate pair or a character. Returns the object's length in `json`, or 0
// when it does not end or `out` would exceed `max_bytes`. Thread-safe.
size_t CutLongStrings(std::string_view json, size_t max_string,
                      size_t max_bytes, std::string& out);

}  // namespace kem

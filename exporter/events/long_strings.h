// Makes a huge JSON object small before it is parsed, by cutting its long
// strings: an Event's message may be written as megabytes, of which nothing
// past the first kilobyte is ever used, while the parser takes six bytes of
// memory for each byte. Used by EventDecoder; does not validate.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace kem {

// Appends the object that `json` begins with, each string that is written with
// more than `max_string` bytes cut to that or a little less: never inside an
// escape, a surrogate pair or a character. Returns how many bytes of `json` the
// object takes, or 0 when it does not end, or when `out` would grow past
// `max_bytes`. Thread-safe.
size_t CutLongStrings(std::string_view json, size_t max_string,
                      size_t max_bytes, std::string& out);

}  // namespace kem

// How far past its end the JSON that is passed between components must be
// readable. simdjson reads in wide steps; the bytes there do not matter. Used
// by all that keep JSON for EventDecoder and ParseListPage, so that they need
// no header of simdjson.
#pragma once

#include <cstddef>

namespace kem {

// At least simdjson::SIMDJSON_PADDING, which those who parse assert.
inline constexpr size_t kJsonPadding = 64;

}  // namespace kem

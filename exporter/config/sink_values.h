// Checks of single values in the list `sinks`. Used by sink_entries.cc, which
// knows the keys. A problem is worded to follow a key's name.
// Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/sink_config.h"

namespace kem {

// prefix/name, as the API server requires for label keys. The exporter also
// requires the prefix: keys without one belong to the cluster's users.
bool IsLabelKey(std::string_view key);

// Empty when they are valid.
std::string ProblemWithAttributes(const Attributes& value);

// Bytes: "512MiB", "2GiB", "1048576"; empty for anything else.
std::optional<uint64_t> ParseSize(std::string_view text);

}  // namespace kem

// How this layer reads files: kubeconfigs, tokens, certificates. Passed in, so
// that tests need no disk. Tells a file that is not there (often fine) from one
// that cannot be read (never fine). Not for anything but small text files.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace kem {

// The file's bytes; empty when there is no such file; an error, worded for a
// person, when it cannot be read. Thread-safe.
using FileReader =
    std::function<Result<std::optional<std::string>>(const std::string& path)>;

// Reads the machine's own files.
FileReader DiskFiles();

}  // namespace kem

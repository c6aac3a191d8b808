// How kubeconfigs, tokens and certificates are read; injected, so that tests
// need no disk. Distinguishes a missing file, which is often fine, from an
// unreadable one, which is an error. Small text files only.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace kem {

// The file's bytes; empty when there is no such file. The error contains the
// path. Thread-safe.
using FileReader =
    std::function<Result<std::optional<std::string>>(const std::string& path)>;

// Reads from disk with ReadFile.
FileReader DiskFiles();

}  // namespace kem

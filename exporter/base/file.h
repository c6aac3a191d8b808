// Reading small files whole: tokens, certificates, kubeconfigs. Not for files
// that do not fit in memory.
#pragma once

#include <string>

#include "base/result.h"

namespace kem {

// The file's bytes. The error says which file and why, as the system words it.
// Files over 16 MiB are refused. Thread-safe.
Result<std::string> ReadFile(const std::string& path);

}  // namespace kem

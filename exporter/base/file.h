// Reading small files whole: tokens, certificates, kubeconfigs, /proc. Used by
// the access layer and the process metrics. Not for files that do not fit in
// memory, and nothing here writes.
#pragma once

#include <string>

#include "base/result.h"

namespace kem {

// The file's bytes. The error says which file and why, as the system words it.
// Files over 16 MiB are refused. Thread-safe.
Result<std::string> ReadFile(const std::string& path);

}  // namespace kem

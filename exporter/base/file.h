// Reads small files whole: tokens, certificates, kubeconfigs, /proc. Used by
// the access layer and the process metrics. Writes nothing.
// Files over 16 MiB are refused.
#pragma once

#include <string>

#include "base/result.h"

namespace kem {

// The file's bytes. The error contains the path and the system's message.
// Thread-safe.
Result<std::string> ReadFile(const std::string& path);

}  // namespace kem

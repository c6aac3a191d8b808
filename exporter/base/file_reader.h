// Reads small files whole: tokens, certificates, kubeconfigs, /proc. Code that
// reads files the user names takes a FileReader, so that its tests need no
// disk. Writes nothing. Files over 16 MiB are refused.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"

namespace kem {

// The file's bytes. The error contains the path and the system's message.
// Thread-safe.
Result<std::string> ReadFile(const std::string& path);

// The file's bytes; empty when there is no such file, which is often fine, as
// opposed to an unreadable file. Thread-safe.
using FileReader =
    std::function<Result<std::optional<std::string>>(const std::string& path)>;

// Reads from disk with ReadFile.
FileReader DiskFiles();

}  // namespace kem

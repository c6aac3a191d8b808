// How an otlp sink reaches its collector: the endpoint, PEM files and the proxy
// of the environment, checked, as ApiTransport uses them. Used by
// sink_entries.cc. Opens no connection.
#pragma once

#include "apiserver/server_access.h"
#include "base/environment.h"
#include "base/file_reader.h"
#include "base/result.h"
#include "sinks/sink_config.h"

namespace kem {

// Reads and checks the files; each request reads them again. The error is
// kInvalidConfig, a clause that begins with the invalid key. Thread-safe.
Result<ServerAccess> ResolveCollector(const SinkConfig& sink,
                                      const Environment& environment,
                                      const FileReader& read);

}  // namespace kem

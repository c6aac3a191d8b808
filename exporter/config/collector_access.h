// Where an otlp sink's collector is and how to reach it: endpoint and PEM
// files of the configuration, judged, with the environment's proxy, as what
// HttplibTransport takes. Used by sink_entries.h. Opens no connection.
#pragma once

#include <string>

#include "apiserver/api_access.h"
#include "base/environment.h"
#include "base/file_reader.h"
#include "base/result.h"
#include "sinks/sink_config.h"

namespace kem {

// The files are read and checked now, and again for each connection. The error
// is kInvalidConfig: a clause that begins with the key that is wrong.
// Thread-safe.
Result<ApiAccess> ResolveCollector(const SinkConfig& sink,
                                   const Environment& environment,
                                   const FileReader& read);

}  // namespace kem

// The `sinks` list of the configuration file, one entry a sink:
//   sinks:
//     - name: audit
//       type: log
//       path: /var/log/kube-events.json
//       filter: {kinds: [Node], types: [Warning]}
// Turns the entries that config_file.h parsed into checked SinkConfigs, and
// reads the files that otlp sinks name. Used by flags.cc. Opens no connection.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"
#include "base/file_reader.h"
#include "base/result.h"
#include "config/config_file.h"
#include "sinks/sink_config.h"

namespace kem {

// `path` is the configuration file's. The error is kInvalidConfig, one sentence
// with file and line. Thread-safe.
Result<std::vector<SinkConfig>> MakeSinkConfigs(
    const std::vector<SinkEntry>& entries, const std::string& path,
    const Environment& environment, const FileReader& read);

}  // namespace kem

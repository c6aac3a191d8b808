// The `sinks` list of the configuration file, one entry a sink:
//   sinks:
//     - name: audit
//       type: log
//       path: /var/log/kube-events.json
//       filter: {kinds: [Node], types: [Warning]}
// Turns the keys and values that config_file.h has read into SinkConfigs, and
// judges them, with the files that an otlp sink names. Used by flags.cc.
// Talks to nobody.
#pragma once

#include <string>
#include <vector>

#include "base/environment.h"
#include "base/file_reader.h"
#include "base/result.h"
#include "config/config_file.h"
#include "sinks/sink_config.h"

namespace kem {

// The error is kInvalidConfig and one sentence that names file and line; `path`
// is the file's. Thread-safe.
Result<std::vector<SinkConfig>> MakeSinkConfigs(
    const std::vector<SinkEntry>& entries, const std::string& path,
    const Environment& environment, const FileReader& read);

}  // namespace kem

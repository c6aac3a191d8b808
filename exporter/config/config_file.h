// The file of --config.file: YAML that gives options of the table by their
// names, nested by the dots, lists as lists:
//   watch:
//     timeout: 2m
//   namespaces: [shop, kube-system]
// Turns text into values by option and says where each stands. Judges keys and
// shapes; values are judged by the option's own row, as those of flags are. The
// list `sinks`, which no flag can give, is judged by sink_entries.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/option_table.h"

namespace kem {

struct ConfigValue {
  const OptionRow* row = nullptr;
  OptionValues values;
  int line = 0;
};

// A key of an entry of `sinks`, each at most once.
struct SinkValue {
  std::string key;
  std::string text;
  int line = 0;
};

struct SinkEntry {
  int line = 0;
  std::vector<SinkValue> values;
  // Of its `filter`: options of what is counted.
  std::vector<ConfigValue> filter;
};

struct ConfigFile {
  // Each option at most once.
  std::vector<ConfigValue> values;
  std::vector<SinkEntry> sinks;
};

// `path` is for the error, which is kInvalidConfig and one sentence that names
// file and line. Thread-safe.
Result<ConfigFile> ParseConfigFile(std::string_view text,
                                   const std::string& path);

// "config.yaml line 3: watch.timeout": the place of a value, for an error.
std::string PlaceOf(const ConfigValue& value, const std::string& path);

}  // namespace kem

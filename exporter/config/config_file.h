// The file of --config.file: YAML that sets options of the table, nested by the
// dots of their names:
//   watch:
//     timeout: 2m
//   namespaces: [shop, kube-system]
// Parses the text into values with their lines and checks keys and kinds. The
// option's row checks its value, and sink_entries.h the list `sinks`.
#pragma once

#include <functional>
#include <map>
#include <optional>
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

// A key of an entry of `sinks`; each is there at most once. Its value is a
// single one, or a map of such.
struct SinkValue {
  std::string key;
  std::string text;
  int line = 0;
  std::optional<std::map<std::string, std::string, std::less<>>> map = {};
};

struct SinkEntry {
  int line = 0;
  std::vector<SinkValue> values;
  // Its `filter`.
  std::vector<ConfigValue> filter;
};

struct ConfigFile {
  // Each option is there at most once.
  std::vector<ConfigValue> values;
  std::vector<SinkEntry> sinks;
};

// The error is kInvalidConfig, one sentence with `path` and line. Thread-safe.
Result<ConfigFile> ParseConfigFile(std::string_view text,
                                   const std::string& path);

// "config.yaml line 3: watch.timeout", for an error.
std::string PlaceOf(const ConfigValue& value, const std::string& path);

}  // namespace kem

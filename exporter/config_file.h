// The file of --config.file: YAML that gives options of the table by their
// names, nested by the dots, lists as lists:
//   watch:
//     timeout: 2m
//   namespaces: [shop, kube-system]
// Turns text into values by option and says where each stands. Judges keys and
// shapes; values are judged by the option's own row, as those of flags are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "option_table.h"

namespace kem {

struct ConfigValue {
  const OptionRow* row = nullptr;
  OptionValues values;
  int line = 0;
};

// Each option at most once. `path` is for the error, which is kInvalidConfig
// and one sentence that names file and line. Thread-safe.
Result<std::vector<ConfigValue>> ParseConfigFile(std::string_view text,
                                                 const std::string& path);

// "config.yaml line 3: watch.timeout": the place of a value, for an error.
std::string PlaceOf(const ConfigValue& value, const std::string& path);

}  // namespace kem

// ParseConfigFile survives any text, rejects it with one sentence, and accepts
// only values in the form of their option.
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "config/config_file.h"
#include "config/sink_entries.h"
#include "fuzz/fuzzing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = kem::ParseConfigFile(text, "c.yaml");
  if (!parsed) {
    kem::Require(parsed.error().code == kem::ErrorCode::kInvalidConfig,
                 "a bad file is a configuration error");
    kem::Require(parsed.error().message.starts_with("c.yaml"),
                 "the error names the file");
    return 0;
  }
  std::set<const kem::OptionRow*> seen;
  for (const kem::ConfigValue& value : parsed->values) {
    kem::Require(seen.insert(value.row).second, "an option appears once");
    kem::Require(value.line > 0, "a value has a line");
    kem::Require(
        value.row->kind == kem::OptionKind::kList || value.values.size() == 1,
        "only lists have any number of values");
    kem::Require(value.row->name != std::string_view(kem::kConfigFileOption),
                 "the file does not name itself");
  }
  const auto sinks = kem::MakeSinkConfigs(
      parsed->sinks, "c.yaml", [](const std::string&) { return std::nullopt; },
      [](const std::string&) { return std::optional<std::string>("x"); });
  kem::Require(sinks || sinks.error().message.starts_with("c.yaml line "),
               "the error names the place");
  return 0;
}

// The table of all options: name, group and text in --help, default, and the
// function that parses the value. Command line (flags.h), configuration file
// (config_file.h) and --help are made from it. Reads no file.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kem {

struct FilterOptions;
struct Options;

// One value for kText and kSwitch ("true" or "false"), any number for kList.
using OptionValues = std::vector<std::string>;

enum class OptionKind { kText, kList, kSwitch };

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct OptionRow {
  // "watch.timeout" is the flag --watch.timeout, and the key timeout below
  // watch in the file. A name below another option's is one key in the file,
  // as scope.trusted-namespaces is, because the file has a value for scope.
  const char* name;
  const char* group;
  OptionKind kind;
  // Placeholder of the value in --help; empty for a switch.
  const char* type_name;
  const char* initial;  // default
  const char* help;
  // One of the two parses the values: take_filter for an option that a sink's
  // filter also has. They return what is wrong, worded to follow the option's
  // name and without line breaks; empty on success.
  std::string (*take_option)(const OptionValues& values, Options& options);
  // A reload applies a changed value.
  bool reloadable = false;
  std::string (*take_filter)(const OptionValues& values,
                             FilterOptions& filter) = nullptr;

  std::string Take(const OptionValues& values, Options& options) const;
};

// Parses a number from `least`, which is above 0, to `most` into `to`. Returns
// as take_option does. Thread-safe.
std::string TakeNumber(const std::string& text, size_t least, size_t most,
                       size_t& to);

// RFC 1123 label, as the API server requires for namespaces. Thread-safe.
bool IsNamespaceName(std::string_view name);

// In the order of --help. Thread-safe.
std::span<const OptionRow> OptionTable();

// The row of this name, or null. Thread-safe.
const OptionRow* FindOption(std::string_view name);

// The only option that the configuration file cannot set.
inline constexpr char kConfigFileOption[] = "config.file";

}  // namespace kem

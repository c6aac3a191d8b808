// Every option of the exporter, once: its name on the command line and in the
// configuration file, its group and text in --help, its default, and how its
// text becomes a value. The command line (config/flags.h), the configuration
// file (config/config_file.h) and --help are made from it. Reads nothing
// itself.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kem {

struct Options;

// As given: one for a text or a switch ("true" or "false"), any number for a
// list.
using OptionValues = std::vector<std::string>;

enum class OptionKind { kText, kList, kSwitch };

// Rows are read, not copied: the order of the fields is for who writes them.
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding)
struct OptionRow {
  // "watch.timeout": the flag --watch.timeout, and in the file timeout below
  // watch. No name is the beginning of another one's dots.
  const char* name;
  const char* group;
  OptionKind kind;
  // The word for a value in --help; empty for a switch.
  const char* type_name;
  // What holds when it is not given; empty is nothing.
  const char* initial;
  const char* help;
  // Judges the values and stores them. What is wrong, worded to follow the
  // option's name and without line breaks of its own; empty when all is well.
  std::string (*take)(const OptionValues& values, Options& options);
  // A reload takes over a changed value.
  bool reloadable = false;
  // It says what is let through, of what is counted and of what is forwarded.
  bool filters = false;
};

// RFC 1123 label, as the API server demands of namespaces. Thread-safe.
bool IsNamespaceName(std::string_view name);

// In the order of --help. Thread-safe.
std::span<const OptionRow> OptionTable();

// The one option that only the command line can give.
inline constexpr char kConfigFileOption[] = "config.file";

}  // namespace kem

#include "config/flags.h"

#include <CLI/CLI.hpp>
#include <deque>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/safe_text.h"
#include "config/config_file.h"
#include "config/filter_values.h"
#include "config/sink_entries.h"
#include "version.h"

namespace kem {
namespace {

constexpr char kAbout[] =
    "kube-event-metrics counts the Events of a Kubernetes cluster for "
    "Prometheus, by reason, object kind and scope.\n\n"
    "Without --kubeconfig and --apiserver it uses the files in KUBECONFIG, "
    "then ~/.kube/config, then the service account of its pod.";

// An option on the command line.
struct Flag {
  const OptionRow* row = nullptr;
  std::string text;
  OptionValues list;
  bool on = false;
  CLI::Option* option = nullptr;

  OptionValues Values() const {
    if (row->kind == OptionKind::kList) {
      OptionValues values = list;
      std::erase(values, "");
      return values;
    }
    if (row->kind == OptionKind::kSwitch) return {on ? "true" : "false"};
    return {text};
  }
};

using Flags = std::deque<Flag>;
using Arguments = std::vector<std::string>;

std::string VersionText() {
  return std::string("kube-event-metrics ") + kVersion + " (revision " +
         kRevision + ", " + kCompiler + ")\n";
}

Exit Refuse(const std::string& sentence) {
  const std::string problem = OneLine(sentence);
  return Exit{2, "kube-event-metrics: " + problem + "\n", problem};
}

// Each would destroy what the other writes.
bool WritesTo(const SinkConfig& sink, const std::string& state) {
  if (state.empty() ||
      (sink.type != SinkType::kHistory && sink.type != SinkType::kLog)) {
    return false;
  }
  const auto whole = [](const std::string& path) {
    std::error_code none;
    return std::filesystem::weakly_canonical(path, none);
  };
  return whole(sink.path) == whole(state);
}

void Declare(CLI::App& app, Flags& flags) {
  for (const OptionRow& row : OptionTable()) {
    Flag& flag = flags.emplace_back();
    flag.row = &row;
    flag.text = row.initial;
    const std::string name = std::string("--") + row.name;
    switch (row.kind) {
      case OptionKind::kText:
        flag.option = app.add_option(name, flag.text, row.help)
                          ->type_name(row.type_name)
                          ->capture_default_str();
        break;
      case OptionKind::kList:
        flag.option = app.add_option(name, flag.list, row.help)
                          ->type_name(row.type_name)
                          ->delimiter(',')
                          ->take_all()
                          ->allow_extra_args(false);
        break;
      case OptionKind::kSwitch:
        flag.option = app.add_flag(name, flag.on, row.help);
        break;
    }
    flag.option->group(row.group);
  }
  app.set_help_flag("-h,--help", "Print this help and exit.");
  app.set_version_flag("--version", VersionText(),
                       "Print the version and exit.");
}

// Empty for a list of commas, which has no entry.
std::string_view ValueOf(const OptionRow& row, std::string_view text) {
  const bool none = row.kind == OptionKind::kList &&
                    text.find_first_not_of(',') == std::string_view::npos;
  return none ? std::string_view() : text;
}

// For "--name=" CLI11 takes the next argument as the value. Here the argument
// becomes "--name" and an empty one.
Result<Arguments> SplitEmptyValues(int argc, const char* const* argv) {
  Arguments arguments;
  const OptionRow* open = nullptr;  // the next argument is its value
  for (int i = 0; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (open != nullptr) {
      arguments.emplace_back(ValueOf(*std::exchange(open, nullptr), argument));
      continue;
    }
    const size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const OptionRow* row = nullptr;
    if (name.starts_with("--")) {
      row = FindOption(name.substr(2));
      const std::string problem = SinkFilterOnly(name.substr(2));
      if (!problem.empty()) {
        return InvalidConfig(std::string(name) + " " + problem);
      }
    }
    if (row == nullptr || equals == std::string_view::npos) {
      arguments.emplace_back(argument);
      if (row != nullptr && row->kind != OptionKind::kSwitch) open = row;
    } else if (!ValueOf(*row, argument.substr(equals + 1)).empty()) {
      arguments.emplace_back(argument);
    } else if (row->kind == OptionKind::kSwitch) {
      return InvalidConfig(std::string(argument) +
                           " needs true or false after the equals sign");
    } else {
      arguments.emplace_back(name);
      arguments.emplace_back();
    }
  }
  return arguments;
}

// Throws what CLI11 throws.
void ParseArguments(const Arguments& arguments, CLI::App& app) {
  std::vector<const char*> argv;
  argv.reserve(arguments.size());
  for (const std::string& argument : arguments) {
    argv.push_back(argument.c_str());
  }
  app.parse(static_cast<int>(argv.size()), argv.data());
}

std::string ConfigPath(const Flags& flags) {
  for (const Flag& flag : flags) {
    if (flag.row->name == std::string_view(kConfigFileOption)) return flag.text;
  }
  return "";
}

Result<ConfigFile> ReadConfigFile(const std::string& path,
                                  const FileReader& read) {
  if (path.empty()) return ConfigFile();
  const Result<std::optional<std::string>> text = read(path);
  if (!text) return text.error().WithPrefix("--config.file");
  if (!text->has_value()) {
    return InvalidConfig("--config.file: the file " + path + " does not exist");
  }
  return ParseConfigFile(**text, path);
}

// The command line overrides the file, and the file the defaults. A wrong value
// in the file is an error even if a flag overrides it.
std::variant<Options, Exit> Combine(const Flags& flags, const ConfigFile& file,
                                    const std::string& path) {
  Options options;
  for (const Flag& flag : flags) {
    OptionValues values = flag.Values();
    for (const ConfigValue& value : file.values) {
      if (value.row != flag.row) continue;
      const std::string problem = flag.row->Take(value.values, options);
      if (!problem.empty()) {
        return Refuse(PlaceOf(value, path) + " " + problem);
      }
      if (flag.option->count() == 0) values = value.values;
    }
    const std::string problem = flag.row->Take(values, options);
    if (!problem.empty()) {
      return Refuse(std::string("--") + flag.row->name + " " + problem);
    }
    options.given.push_back(std::move(values));
  }
  return options;
}

}  // namespace

std::variant<Options, Exit> ParseFlags(int argc, const char* const* argv,
                                       const FileReader& read,
                                       const Environment& environment) {
  const Result<Arguments> arguments = SplitEmptyValues(argc, argv);
  if (!arguments) return Refuse(arguments.error().message);
  Flags flags;
  CLI::App app(kAbout, "kube-event-metrics");
  Declare(app, flags);
  try {
    ParseArguments(*arguments, app);
  } catch (const CLI::CallForHelp&) {
    return Exit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Exit{0, VersionText()};
  } catch (const CLI::ParseError& error) {
    return Refuse(std::string(error.what()) + " (see --help)");
  }
  const std::string path = ConfigPath(flags);
  const Result<ConfigFile> file = ReadConfigFile(path, read);
  if (!file) return Refuse(file.error().message);
  Result<std::vector<SinkConfig>> sinks =
      MakeSinkConfigs(file->sinks, path, environment, read);
  if (!sinks) return Refuse(sinks.error().message);
  std::variant<Options, Exit> combined = Combine(flags, *file, path);
  if (auto* options = std::get_if<Options>(&combined)) {
    for (const SinkConfig& sink : *sinks) {
      if (!WritesTo(sink, options->state_file)) continue;
      return Refuse("the sink " + sink.queue.name +
                    " has the path of --state.file: " + sink.path);
    }
    options->sinks = std::move(*sinks);
  }
  return combined;
}

}  // namespace kem

#include "config/flags.h"

#include <CLI/CLI.hpp>
#include <deque>
#include <optional>
#include <utility>

#include "base/safe_text.h"
#include "config/config_file.h"
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
    if (row->kind == OptionKind::kList) return list;
    if (row->kind == OptionKind::kSwitch) return {on ? "true" : "false"};
    return {text};
  }
};

using Flags = std::deque<Flag>;

std::string VersionText() {
  return std::string("kube-event-metrics ") + kVersion + " (revision " +
         kRevision + ", " + kCompiler + ")\n";
}

Exit Refuse(const std::string& sentence) {
  const std::string problem = OneLine(sentence);
  return Exit{2, "kube-event-metrics: " + problem + "\n", problem};
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
  Flags flags;
  CLI::App app(kAbout, "kube-event-metrics");
  Declare(app, flags);
  try {
    app.parse(argc, argv);
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
    options->sinks = std::move(*sinks);
  }
  return combined;
}

}  // namespace kem

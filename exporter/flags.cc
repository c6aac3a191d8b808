#include "flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>

#include "base/duration.h"
#include "base/one_line.h"
#include "version.h"

namespace kem {
namespace {

constexpr char kAccess[] = "Access to the API server";
constexpr char kWatch[] = "Watching";
constexpr char kMetrics[] = "Metrics";
constexpr char kWeb[] = "Serving";
constexpr char kLog[] = "Logging";

constexpr char kAbout[] =
    "kube-event-metrics counts the Events of a Kubernetes cluster for "
    "Prometheus, by reason, object kind and scope.\n\n"
    "Without --kubeconfig and --apiserver it takes the files of KUBECONFIG, "
    "else ~/.kube/config, else the service account of the pod it runs in.";

// As given, before judgement.
struct RawOptions {
  std::string watch_timeout = "290s";
  std::string birth_hold = "75s";
  std::string listen_address = ":9953";
  std::string log_level = "info";
  std::string log_format = "logfmt";
};

std::string VersionText() {
  return std::string("kube-event-metrics ") + kVersion + " (revision " +
         kRevision + ", " + kCompiler + ")\n";
}

Exit Refuse(const std::string& sentence) {
  return Exit{2, "kube-event-metrics: " + OneLine(sentence) + "\n"};
}

void Declare(CLI::App& app, Options& options, RawOptions& raw) {
  const auto add = [&](const char* group, const char* name, auto& value,
                       const char* help, const char* type) {
    return app.add_option(name, value, help)
        ->group(group)
        ->type_name(type)
        ->capture_default_str();
  };
  add(kAccess, "--kubeconfig", options.kubeconfig,
      "Kubeconfig to use instead of KUBECONFIG and ~/.kube/config.", "FILE");
  add(kAccess, "--context", options.context,
      "Context of the kubeconfig; its current-context when empty.", "NAME");
  add(kAccess, "--apiserver", options.apiserver,
      "URL of the API server, in place of the kubeconfig's. Alone it means "
      "anonymous access.",
      "URL");
  add(kWatch, "--watch.namespaces", options.namespaces,
      "Watch the Events of these namespaces only, one stream each. Events of "
      "cluster-scoped objects sit in default or kube-system.",
      "NAME,...")
      ->delimiter(',')
      ->take_all();
  add(kWatch, "--watch.timeout", raw.watch_timeout,
      "Longest life of one watch, 30s to 1h. Lower it where a load balancer "
      "cuts quiet connections earlier; above 290s the API server may have "
      "compacted what a quiet watch needs to resume.",
      "DURATION");
  add(kMetrics, "--metrics.birth-hold", raw.birth_hold,
      "Show 0 in a new counter for this long, so that increase() sees its "
      "first occurrence. Two scrape intervals and a bit; 0 turns it off.",
      "DURATION");
  add(kWeb, "--web.listen-address", raw.listen_address,
      "Address to serve on. Port 0 takes a free one, which the log tells.",
      "HOST:PORT");
  add(kWeb, "--web.telemetry-path", options.telemetry_path,
      "Path of the metrics.", "PATH");
  add(kLog, "--log.level", raw.log_level, "debug, info, warn or error.",
      "LEVEL");
  add(kLog, "--log.format", raw.log_format, "logfmt or json.", "FORMAT");
  app.set_help_flag("-h,--help", "Print this and exit.");
  app.set_version_flag("--version", VersionText(), "Print it and exit.");
}

template <typename T>
std::optional<T> Pick(const std::map<std::string, T>& choices,
                      const std::string& name) {
  const auto it = choices.find(name);
  if (it == choices.end()) return std::nullopt;
  return it->second;
}

// RFC 1123 label, as the API server demands of namespaces.
bool IsNamespaceName(const std::string& name) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' &&
         name.back() != '-' && std::all_of(name.begin(), name.end(), ok);
}

bool IsTelemetryPath(const std::string& path) {
  const auto ok = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' ||
           c == '.' || c == '_' || c == '-';
  };
  return path.size() > 1 && path.front() == '/' && path != "/livez" &&
         path != "/readyz" && std::all_of(path.begin(), path.end(), ok);
}

std::optional<std::string> Finalize(const RawOptions& raw, Options& options) {
  using std::chrono::seconds;
  const auto watch = ParseDuration(raw.watch_timeout);
  if (!watch || *watch < seconds(30) || *watch > std::chrono::hours(1)) {
    return "--watch.timeout \"" + raw.watch_timeout +
           "\" must be a duration from 30s to 1h";
  }
  options.watch_timeout = std::chrono::duration_cast<seconds>(*watch);
  const auto hold = ParseDuration(raw.birth_hold);
  if (!hold || *hold > std::chrono::hours(1)) {
    return "--metrics.birth-hold \"" + raw.birth_hold +
           "\" must be a duration from 0 to 1h, such as 75s";
  }
  options.birth_hold = std::chrono::ceil<seconds>(*hold);
  const auto level = Pick<LogLevel>({{"debug", LogLevel::kDebug},
                                     {"info", LogLevel::kInfo},
                                     {"warn", LogLevel::kWarn},
                                     {"error", LogLevel::kError}},
                                    raw.log_level);
  if (!level) {
    return "--log.level \"" + raw.log_level +
           "\" must be debug, info, warn or error";
  }
  options.log_level = *level;
  const auto format = Pick<LogFormat>(
      {{"logfmt", LogFormat::kLogfmt}, {"json", LogFormat::kJson}},
      raw.log_format);
  if (!format) {
    return "--log.format \"" + raw.log_format + "\" must be logfmt or json";
  }
  options.log_format = *format;
  std::vector<std::string>& names = options.namespaces;
  for (const std::string& name : names) {
    if (!IsNamespaceName(name)) {
      return "--watch.namespaces: \"" + name +
             "\" is no namespace name: lower-case letters, digits and "
             "hyphens, at most 63";
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const auto address = ParseListenAddress(raw.listen_address);
  if (!address) return "--web.listen-address " + address.error().message;
  options.listen_address = *address;
  if (!IsTelemetryPath(options.telemetry_path)) {
    return "--web.telemetry-path \"" + options.telemetry_path +
           "\" must be a path of letters, digits and ./_- other than /, "
           "/livez and /readyz";
  }
  return std::nullopt;
}

}  // namespace

std::variant<Options, Exit> ParseFlags(int argc, const char* const* argv) {
  Options options;
  RawOptions raw;
  CLI::App app(kAbout, "kube-event-metrics");
  Declare(app, options, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return Exit{0, app.help()};
  } catch (const CLI::CallForVersion&) {
    return Exit{0, VersionText()};
  } catch (const CLI::ParseError& error) {
    return Refuse(std::string(error.what()) + " (see --help)");
  }
  if (const auto problem = Finalize(raw, options)) return Refuse(*problem);
  return options;
}

}  // namespace kem

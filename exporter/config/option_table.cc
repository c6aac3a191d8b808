#include "config/option_table.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/duration.h"
#include "config/filter_values.h"
#include "config/flags.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using enum OptionKind;

constexpr char kAccess[] = "Access to the API server";
constexpr char kWatch[] = "Watch";
constexpr char kFilter[] = "Filters";
constexpr char kMetrics[] = "Metrics";
constexpr char kState[] = "State";
constexpr char kReplicas[] = "Replicas";
constexpr char kWeb[] = "Web server";
constexpr char kLog[] = "Logging";
constexpr char kOffline[] = "Offline";
constexpr char kConfig[] = "Configuration";

template <std::string Options::*kField>
std::string TakeText(const OptionValues& values, Options& options) {
  options.*kField = values[0];
  return "";
}

template <bool Options::*kField>
std::string TakeSwitch(const OptionValues& values, Options& options) {
  options.*kField = values[0] == "true";
  return "";
}

template <typename T>
std::string TakeOneOf(const OptionValues& values, T& field,
                      std::span<const std::pair<const char*, T>> choices) {
  std::string names;
  for (size_t i = 0; i < choices.size(); ++i) {
    if (values[0] == choices[i].first) {
      field = choices[i].second;
      return "";
    }
    if (i > 0) names += i + 1 == choices.size() ? " or " : ", ";
    names += choices[i].first;
  }
  return Quoted(values[0]) + " must be " + names;
}

// Empty when `text` is a duration from `least` to `most`, stored in `to`.
template <typename T>
std::string TakeDuration(const std::string& text, milliseconds least,
                         milliseconds most, const char* range, T& to) {
  const auto duration = ParseDuration(text);
  if (!duration || *duration < least || *duration > most) {
    return Quoted(text) + " must be a duration from " + range;
  }
  to = std::chrono::ceil<T>(*duration);
  return "";
}

std::string TakeWatchTimeout(const OptionValues& values, Options& options) {
  return TakeDuration(values[0], seconds(30), hours(1), "30s to 1h",
                      options.watch_timeout);
}

std::string TakeInitialZero(const OptionValues& values, Options& options) {
  return TakeDuration(values[0], seconds(0), hours(1), "0 to 1h, such as 75s",
                      options.initial_zero);
}

std::string TakeStateInterval(const OptionValues& values, Options& options) {
  return TakeDuration(values[0], seconds(1), hours(1), "1s to 1h, such as 10s",
                      options.state_interval);
}

std::string TakeMaxSeries(const OptionValues& values, Options& options) {
  return TakeNumber(values[0], 1, 10'000'000, options.max_series);
}

// The table has it after --metrics.initial-zero, which it compares with.
std::string TakeRetention(const OptionValues& values, Options& options) {
  const auto duration = ParseDuration(values[0]);
  if (!duration ||
      (duration->count() != 0 &&
       (*duration < seconds(10) || *duration <= 2 * options.initial_zero))) {
    return Quoted(values[0]) +
           " must be 0 or a duration of at least 10s, such as 24h, and more "
           "than twice --metrics.initial-zero";
  }
  options.retention = std::chrono::ceil<seconds>(*duration);
  return "";
}

std::string TakeNamespaces(const OptionValues& values, Options& options) {
  for (const std::string& name : values) {
    if (!IsNamespaceName(name)) {
      return Quoted(name) +
             " is not a namespace name: use at most 63 lowercase letters, "
             "digits and hyphens";
    }
  }
  std::vector<std::string>& names = options.namespaces;
  names = values;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return "";
}

// No sink's filter has it, so it is an option of its own.
std::string TakeTrusted(const OptionValues& values, Options& options) {
  return TakeExpressions(values, options.filter.trusted_namespaces);
}

std::string TakeLease(const OptionValues& values, Options& options) {
  const std::string& text = values[0];
  if (text.empty()) return "";
  const size_t slash = std::min(text.find('/'), text.size());
  LeaseName lease{text.substr(0, slash),
                  text.substr(std::min(slash + 1, text.size()))};
  if (!IsNamespaceName(lease.name_space) || !IsNamespaceName(lease.name)) {
    return Quoted(text) +
           " must be NAMESPACE/NAME, both of at most 63 lowercase letters, "
           "digits and hyphens";
  }
  options.lease = std::move(lease);
  return "";
}

std::string TakeListenAddress(const OptionValues& values, Options& options) {
  const auto address = ParseListenAddress(values[0]);
  if (!address) return address.error().message;
  options.listen_address = *address;
  return "";
}

std::string TakeTelemetryPath(const OptionValues& values, Options& options) {
  const std::string& path = values[0];
  const auto ok = [](char c) {
    return IsAsciiAlphanumeric(c) || c == '/' || c == '.' || c == '_' ||
           c == '-';
  };
  // The other paths of web/http_router.cc, and those that it may get.
  const bool taken = path == "/livez" || path == "/readyz" ||
                     path.starts_with("/-/") || path.starts_with("/api/") ||
                     path.starts_with("/objects/");
  if (path.size() < 2 || path.front() != '/' || taken ||
      !std::all_of(path.begin(), path.end(), ok)) {
    return Quoted(path) +
           " must be a path of letters, digits and ./_- other than /, /livez, "
           "/readyz and those that begin with /-/, /api/ or /objects/";
  }
  options.telemetry_path = path;
  return "";
}

std::string TakeLogLevel(const OptionValues& values, Options& options) {
  static constexpr std::pair<const char*, LogLevel> kLevels[] = {
      {"debug", LogLevel::kDebug},
      {"info", LogLevel::kInfo},
      {"warn", LogLevel::kWarn},
      {"error", LogLevel::kError}};
  return TakeOneOf<LogLevel>(values, options.log_level, kLevels);
}

std::string TakeLogFormat(const OptionValues& values, Options& options) {
  static constexpr std::pair<const char*, LogFormat> kFormats[] = {
      {"logfmt", LogFormat::kLogfmt}, {"json", LogFormat::kJson}};
  return TakeOneOf<LogFormat>(values, options.log_format, kFormats);
}

constexpr OptionRow kTable[] = {
    {"kubeconfig", kAccess, kText, "FILE", "",
     "Path of the kubeconfig file. Default: the files in KUBECONFIG, then "
     "~/.kube/config, then the service account of the pod.",
     TakeText<&Options::kubeconfig>},
    {"context", kAccess, kText, "NAME", "",
     "Context of the kubeconfig to use. Default: its current-context.",
     TakeText<&Options::context>},
    {"apiserver", kAccess, kText, "URL", "",
     "URL of the API server; overrides the kubeconfig's server. Without a "
     "kubeconfig, requests are anonymous.",
     TakeText<&Options::apiserver>},
    {"watch.namespaces", kWatch, kList, "NAME,...", "",
     "Namespaces to watch, one watch each. Events of cluster-scoped objects "
     "are in default and kube-system. Default: all namespaces.",
     TakeNamespaces},
    {"watch.timeout", kWatch, kText, "DURATION", "290s",
     "Maximum duration of one watch request, from 30s to 1h. Lower it when a "
     "load balancer closes idle connections earlier. Above 290s, the API "
     "server may have compacted the version from which a quiet watch resumes.",
     TakeWatchTimeout},
    {"scope", kFilter, kText, "SCOPE", "all",
     "Count only Events of these objects: all, cluster (cluster-scoped) or "
     "namespaced.",
     nullptr, true, TakeScope},
    {"scope.trusted-namespaces", kFilter, kList, "REGEX,...", "",
     "Namespaces whose Events may be about cluster-scoped objects, as anchored "
     "RE2 expressions. In others, where tenants can write them, such Events "
     "count as namespaced. Default: default,kube-system, which are always "
     "trusted.",
     TakeTrusted, true},
    {"namespaces", kFilter, kList, "REGEX,...", "",
     "Of namespaced objects, count only those whose namespace matches one of "
     "these anchored RE2 expressions. Default: all.",
     nullptr, true, TakeIncluded<&FilterOptions::namespaces>},
    {"namespaces-exclude", kFilter, kList, "REGEX,...", "",
     "Of namespaced objects, do not count those whose namespace matches one "
     "of these; overrides --namespaces.",
     nullptr, true, TakeExcluded<&FilterOptions::namespaces>},
    {"objects", kFilter, kList, "REGEX,...", "",
     "Count only Events of objects whose name matches one of these anchored "
     "RE2 expressions. Default: all.",
     nullptr, true, TakeIncluded<&FilterOptions::objects>},
    {"objects-exclude", kFilter, kList, "REGEX,...", "",
     "Do not count Events of objects whose name matches one of these; "
     "overrides --objects.",
     nullptr, true, TakeExcluded<&FilterOptions::objects>},
    {"kinds", kFilter, kList, "REGEX,...", "",
     "Count only Events of objects whose kind matches one of these anchored "
     "RE2 expressions. Default: all.",
     nullptr, true, TakeIncluded<&FilterOptions::kinds>},
    {"kinds-exclude", kFilter, kList, "REGEX,...", "",
     "Do not count Events of objects whose kind matches one of these; "
     "overrides --kinds.",
     nullptr, true, TakeExcluded<&FilterOptions::kinds>},
    {"reasons", kFilter, kList, "REGEX,...", "",
     "Count only Events whose reason matches one of these anchored RE2 "
     "expressions. Default: all.",
     nullptr, true, TakeIncluded<&FilterOptions::reasons>},
    {"reasons-exclude", kFilter, kList, "REGEX,...", "",
     "Do not count Events whose reason matches one of these; overrides "
     "--reasons.",
     nullptr, true, TakeExcluded<&FilterOptions::reasons>},
    {"types", kFilter, kList, "REGEX,...", "",
     "Count only Events whose type (Normal, Warning or other) matches one of "
     "these anchored RE2 expressions. Default: all.",
     nullptr, true, TakeIncluded<&FilterOptions::types>},
    {"types-exclude", kFilter, kList, "REGEX,...", "",
     "Do not count Events whose type matches one of these; overrides --types.",
     nullptr, true, TakeExcluded<&FilterOptions::types>},
    {"components", kFilter, kList, "REGEX,...", "",
     "Count only Events whose reporting component matches one of these "
     "anchored RE2 expressions. Default: all.",
     nullptr, true, TakeIncluded<&FilterOptions::components>},
    {"components-exclude", kFilter, kList, "REGEX,...", "",
     "Do not count Events whose reporting component matches one of these; "
     "overrides --components.",
     nullptr, true, TakeExcluded<&FilterOptions::components>},
    {"metrics.initial-zero", kMetrics, kText, "DURATION", "75s",
     "How long a new counter is exposed as 0, so that increase() includes its "
     "first occurrences, from 0 to 1h. Set more than two scrape intervals; 0 "
     "disables it.",
     TakeInitialZero},
    {"metrics.max-series", kMetrics, kText, "NUMBER", "50000",
     "Maximum number of series per metric family. Further occurrences are "
     "counted in one series per scope and type, with _overflow in the other "
     "labels.",
     TakeMaxSeries},
    {"metrics.retention", kMetrics, kText, "DURATION", "24h",
     "How long a series without occurrences and without Events in the cluster "
     "is kept, at least 10s; 0 keeps it forever.",
     TakeRetention},
    {"metrics.created-timestamps", kMetrics, kSwitch, "", "",
     "Expose the creation time of each counter in OpenMetrics, for Prometheus "
     "with the feature created-timestamp-zero-ingestion. Doubles the size of a "
     "scrape.",
     TakeSwitch<&Options::created_timestamps>},
    {"metrics.exemplars", kMetrics, kSwitch, "", "",
     "Expose the latest Event of each counter as an exemplar in OpenMetrics, "
     "for Prometheus with the feature exemplar-storage.",
     TakeSwitch<&Options::exemplars>},
    {"state.file", kState, kText, "FILE", "",
     "File that keeps counters, sink queues and the watch position, so that "
     "counters continue after a restart. Default: none, and counters restart "
     "at 0.",
     TakeText<&Options::state_file>},
    {"state.interval", kState, kText, "DURATION", "10s",
     "How often the journal of the state is synced to disk, from 1s to 1h. A "
     "power cut loses at most what was counted in this time.",
     TakeStateInterval},
    {"replicas.lease", kReplicas, kText, "NAMESPACE/NAME", "",
     "Lease by which replicas agree which of them delivers to the sinks of the "
     "types log, otlp and annotate, so that each occurrence is delivered once. "
     "It is created. Default: none, and every replica delivers.",
     TakeLease},
    {"web.listen-address", kWeb, kText, "HOST:PORT", ":9953",
     "Address to listen on. Port 0 selects a free port, which is logged.",
     TakeListenAddress},
    {"web.telemetry-path", kWeb, kText, "PATH", "/metrics",
     "Path under which to expose metrics.", TakeTelemetryPath},
    {"web.config.file", kWeb, kText, "FILE", "",
     "Configuration file for TLS, client certificates and basic "
     "authentication, in the format of the Prometheus exporter-toolkit. "
     "Changes apply without a restart. Default: none, plain HTTP without "
     "authentication.",
     TakeText<&Options::web_config_file>},
    {"log.level", kLog, kText, "LEVEL", "info",
     "Least severe level to log: debug, info, warn or error.", TakeLogLevel,
     true},
    {"log.format", kLog, kText, "FORMAT", "logfmt",
     "Format of log lines: logfmt or json.", TakeLogFormat},
    {kConfigFileOption, kConfig, kText, "FILE", "",
     "YAML file that sets options, nested by the dots of their names, and the "
     "list sinks, which receives occurrences. Flags override it. SIGHUP and "
     "POST /-/reload apply changed filters, sinks and log level.",
     TakeText<&Options::config_file>},
    {"dry-run", kConfig, kSwitch, "", "",
     "Check options, files and access to the API server, print missing "
     "permissions as RBAC objects, and exit: 0 when nothing is missing, 1 when "
     "something is, 2 for invalid options or files. With --events.from, check "
     "that file instead of the API server.",
     TakeSwitch<&Options::dry_run>},
    {"events.from", kOffline, kText, "FILE", "",
     "Count the Events in this output of kubectl get events -A -o json, with "
     "or without --watch --output-watch-events, or in a JSON array, instead of "
     "watching an API server; - reads standard input.",
     TakeText<&Options::events_from>},
    {"once", kOffline, kSwitch, "", "",
     "With --events.from, print the metrics at the end of the input and exit.",
     TakeSwitch<&Options::once>},
};

}  // namespace

std::string OptionRow::Take(const OptionValues& values,
                            Options& options) const {
  return take_filter != nullptr ? take_filter(values, options.filter)
                                : take_option(values, options);
}

std::span<const OptionRow> OptionTable() { return kTable; }

const OptionRow* FindOption(std::string_view name) {
  for (const OptionRow& row : kTable) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::string TakeNumber(const std::string& text, size_t least, size_t most,
                       size_t& to) {
  to = ParseNumber<size_t>(text).value_or(0);
  if (to >= least && to <= most) return "";
  return Quoted(text) + " must be a number from " + std::to_string(least) +
         " to " + std::to_string(most);
}

bool IsNamespaceName(std::string_view name) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || IsAsciiDigit(c) || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' &&
         name.back() != '-' && std::all_of(name.begin(), name.end(), ok);
}

}  // namespace kem

#include "config/option_table.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/duration.h"
#include "config/flags.h"

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using enum OptionKind;

constexpr char kAccess[] = "Access to the API server";
constexpr char kWatch[] = "Watching";
constexpr char kFilter[] = "What is counted";
constexpr char kMetrics[] = "Metrics";
constexpr char kState[] = "State";
constexpr char kWeb[] = "Serving";
constexpr char kLog[] = "Logging";
constexpr char kOffline[] = "Without an API server";
constexpr char kConfig[] = "Configuration";

std::string Quoted(const std::string& text) { return '"' + text + '"'; }

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

std::string TakeWatchTimeout(const OptionValues& values, Options& options) {
  const auto duration = ParseDuration(values[0]);
  if (!duration || *duration < seconds(30) || *duration > hours(1)) {
    return Quoted(values[0]) + " must be a duration from 30s to 1h";
  }
  options.watch_timeout = std::chrono::duration_cast<seconds>(*duration);
  return "";
}

std::string TakeInitialZero(const OptionValues& values, Options& options) {
  const auto duration = ParseDuration(values[0]);
  if (!duration || *duration > hours(1)) {
    return Quoted(values[0]) + " must be a duration from 0 to 1h, such as 75s";
  }
  options.initial_zero = std::chrono::ceil<seconds>(*duration);
  return "";
}

std::string TakeMaxSeries(const OptionValues& values, Options& options) {
  constexpr size_t kMost = 10'000'000;
  const std::string& text = values[0];
  const char* const end = text.data() + text.size();
  size_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > kMost) {
    return Quoted(text) + " must be a number from 1 to " +
           std::to_string(kMost);
  }
  options.max_series = number;
  return "";
}

// Judged after the initial zero.
std::string TakeRetention(const OptionValues& values, Options& options) {
  const auto duration = ParseDuration(values[0]);
  if (!duration ||
      (duration->count() != 0 &&
       (*duration < seconds(10) || *duration <= 2 * options.initial_zero))) {
    return Quoted(values[0]) +
           " must be 0 or a duration of 10s and more, such as 24h, and longer "
           "than twice --metrics.initial-zero";
  }
  options.retention = std::chrono::ceil<seconds>(*duration);
  return "";
}

std::string TakeStateInterval(const OptionValues& values, Options& options) {
  const auto duration = ParseDuration(values[0]);
  if (!duration || *duration < seconds(1) || *duration > hours(1)) {
    return Quoted(values[0]) + " must be a duration from 1s to 1h, such as 10s";
  }
  options.state_interval = *duration;
  return "";
}

std::string TakeNamespaces(const OptionValues& values,
                           std::vector<std::string>& names) {
  for (const std::string& name : values) {
    if (!IsNamespaceName(name)) {
      return Quoted(name) +
             " is no namespace name: lower-case letters, digits and hyphens, "
             "at most 63";
    }
  }
  names = values;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return "";
}

std::string TakeWatchNamespaces(const OptionValues& values, Options& options) {
  return TakeNamespaces(values, options.namespaces);
}

std::string TakeScope(const OptionValues& values, Options& options) {
  FilterOptions& filter = options.filter;
  filter.cluster_scoped = values[0] != "namespaced";
  filter.namespaced = values[0] != "cluster";
  if (values[0] == "all" || filter.cluster_scoped != filter.namespaced) {
    return "";
  }
  return Quoted(values[0]) + " must be all, cluster or namespaced";
}

std::string TakeFilterNamespaces(const OptionValues& values, Options& options) {
  return TakeNamespaces(values, options.filter.namespaces);
}

template <FilterList FilterOptions::*kList,
          std::vector<std::string> FilterList::*kSide>
std::string TakeExpressions(const OptionValues& values, Options& options) {
  std::string problem = ExpressionProblem(values);
  if (problem.empty()) options.filter.*kList.*kSide = values;
  return problem;
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
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' ||
           c == '.' || c == '_' || c == '-';
  };
  if (path.size() < 2 || path.front() != '/' || path == "/livez" ||
      path == "/readyz" || !std::all_of(path.begin(), path.end(), ok)) {
    return Quoted(path) +
           " must be a path of letters, digits and ./_- other than /, /livez "
           "and /readyz";
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
     "Kubeconfig to use instead of KUBECONFIG and ~/.kube/config.",
     TakeText<&Options::kubeconfig>},
    {"context", kAccess, kText, "NAME", "",
     "Context of the kubeconfig; its current-context when empty.",
     TakeText<&Options::context>},
    {"apiserver", kAccess, kText, "URL", "",
     "URL of the API server, in place of the kubeconfig's. Alone it means "
     "anonymous access.",
     TakeText<&Options::apiserver>},
    {"watch.namespaces", kWatch, kList, "NAME,...", "",
     "Watch the Events of these namespaces only, one stream each. Events of "
     "cluster-scoped objects sit in default or kube-system.",
     TakeWatchNamespaces},
    {"watch.timeout", kWatch, kText, "DURATION", "290s",
     "Longest life of one watch, 30s to 1h. Lower it where a load balancer "
     "cuts quiet connections earlier; above 290s the API server may have "
     "compacted what a quiet watch needs to resume.",
     TakeWatchTimeout},
    {"scope", kFilter, kText, "SCOPE", "all",
     "Count Events of these objects: all, cluster (those that live in no "
     "namespace) or namespaced.",
     TakeScope, true, true},
    {"namespaces", kFilter, kList, "NAME,...", "",
     "Of namespaced objects, count those in these namespaces only.",
     TakeFilterNamespaces, true, true},
    {"kinds", kFilter, kList, "EXPR,...", "",
     "Count these kinds of object only: RE2 expressions, of which one matches "
     "the whole value.",
     TakeExpressions<&FilterOptions::kinds, &FilterList::include>, true, true},
    {"kinds-exclude", kFilter, kList, "EXPR,...", "",
     "Do not count these, whatever --kinds says.",
     TakeExpressions<&FilterOptions::kinds, &FilterList::exclude>, true, true},
    {"reasons", kFilter, kList, "EXPR,...", "",
     "Count these reasons only: RE2 expressions, of which one matches the "
     "whole value.",
     TakeExpressions<&FilterOptions::reasons, &FilterList::include>, true,
     true},
    {"reasons-exclude", kFilter, kList, "EXPR,...", "",
     "Do not count these, whatever --reasons says.",
     TakeExpressions<&FilterOptions::reasons, &FilterList::exclude>, true,
     true},
    {"types", kFilter, kList, "EXPR,...", "",
     "Count these types: Normal, Warning, other only: RE2 expressions, of "
     "which one matches the whole value.",
     TakeExpressions<&FilterOptions::types, &FilterList::include>, true, true},
    {"types-exclude", kFilter, kList, "EXPR,...", "",
     "Do not count these, whatever --types says.",
     TakeExpressions<&FilterOptions::types, &FilterList::exclude>, true, true},
    {"components", kFilter, kList, "EXPR,...", "",
     "Count these reporting components only: RE2 expressions, of which one "
     "matches the whole value.",
     TakeExpressions<&FilterOptions::components, &FilterList::include>, true,
     true},
    {"components-exclude", kFilter, kList, "EXPR,...", "",
     "Do not count these, whatever --components says.",
     TakeExpressions<&FilterOptions::components, &FilterList::exclude>, true,
     true},
    {"metrics.initial-zero", kMetrics, kText, "DURATION", "75s",
     "Show 0 in a new counter for this long, so that increase() sees its "
     "first occurrence. Two scrape intervals and a bit; 0 turns it off.",
     TakeInitialZero},
    {"metrics.max-series", kMetrics, kText, "NUMBER", "50000",
     "Most series of one family. Past it occurrences count in one series a "
     "scope and type, whose other labels say _overflow.",
     TakeMaxSeries},
    {"metrics.retention", kMetrics, kText, "DURATION", "24h",
     "Drop a series when it was idle for so long and no Event is in it; 0 "
     "keeps all.",
     TakeRetention},
    {"metrics.created-timestamps", kMetrics, kSwitch, "", "",
     "Tell in OpenMetrics when each counter began, for a Prometheus with "
     "created-timestamp-zero-ingestion; it doubles a scrape.",
     TakeSwitch<&Options::created_timestamps>},
    {"metrics.exemplars", kMetrics, kSwitch, "", "",
     "Name in OpenMetrics the latest Event of each counter, for a Prometheus "
     "with exemplar-storage.",
     TakeSwitch<&Options::exemplars>},
    {"state.file", kState, kText, "FILE", "",
     "File to keep counters and what was seen in, so that a restart goes on "
     "without a reset. Without it counting starts anew.",
     TakeText<&Options::state_file>},
    {"state.interval", kState, kText, "DURATION", "10s",
     "How often to write it whole, 1s to 1h; what is counted between is "
     "written beside it before it is shown.",
     TakeStateInterval},
    {"web.listen-address", kWeb, kText, "HOST:PORT", ":9953",
     "Address to serve on. Port 0 takes a free one, which the log tells.",
     TakeListenAddress},
    {"web.telemetry-path", kWeb, kText, "PATH", "/metrics",
     "Path of the metrics.", TakeTelemetryPath},
    {"web.config.file", kWeb, kText, "FILE", "",
     "TLS, client certificates and basic authentication, in the format of the "
     "Prometheus exporter-toolkit. Looked at again while running.",
     TakeText<&Options::web_config_file>},
    {"log.level", kLog, kText, "LEVEL", "info", "debug, info, warn or error.",
     TakeLogLevel, true},
    {"log.format", kLog, kText, "FORMAT", "logfmt", "logfmt or json.",
     TakeLogFormat},
    {kConfigFileOption, kConfig, kText, "FILE", "",
     "YAML file that gives any of these options, nested by their dots; flags "
     "win. Its list sinks says where Events are passed on to. SIGHUP and "
     "POST /-/reload take over its filters, sinks and log level.",
     TakeText<&Options::config_file>},
    {"dry-run", kConfig, kSwitch, "", "",
     "Check options, files and what the API server lets us do, print what is "
     "missing as RBAC objects, and exit: 0 nothing, 1 something, 2 wrong "
     "options or files.",
     TakeSwitch<&Options::dry_run>},
    {"events.from", kOffline, kText, "FILE", "",
     "Count what kubectl get events -A -o json printed, with --watch "
     "--output-watch-events or without, instead of asking an API server; - is "
     "the standard input.",
     TakeText<&Options::events_from>},
    {"once", kOffline, kSwitch, "", "",
     "With --events.from: print the metrics at the end of the input and exit.",
     TakeSwitch<&Options::once>},
};

}  // namespace

std::span<const OptionRow> OptionTable() { return kTable; }

bool IsNamespaceName(std::string_view name) {
  const auto ok = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !name.empty() && name.size() <= 63 && name.front() != '-' &&
         name.back() != '-' && std::all_of(name.begin(), name.end(), ok);
}

}  // namespace kem

// Turns argv and the configuration file into checked options, or into a text to
// print before the process exits. Used by main and by a reload.
// option_table.h lists the options. Opens no connection and reads no
// kubeconfig, which is ResolveAccess's.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/environment.h"
#include "base/file_reader.h"
#include "base/log.h"
#include "config/option_table.h"
#include "events/event_filter.h"
#include "net/server_url.h"
#include "replicas/lease.h"
#include "sinks/sink_config.h"

namespace kem {

// Checked values. The defaults are those of option_table.cc.
struct Options {
  std::string kubeconfig;
  std::string context;
  std::string apiserver;
  // Empty for the whole cluster. Valid namespace names, each once.
  std::vector<std::string> namespaces;
  std::chrono::seconds watch_timeout{290};
  FilterOptions filter;
  std::chrono::seconds initial_zero{75};
  size_t max_series = 50'000;
  // 0 keeps series forever.
  std::chrono::seconds retention = std::chrono::hours(24);
  bool created_timestamps = false;
  bool exemplars = false;
  // Empty for no state.
  std::string state_file;
  std::chrono::milliseconds state_interval{10'000};
  // None without replicas.
  std::optional<LeaseName> lease;
  ListenAddress listen_address;
  std::string telemetry_path = "/metrics";
  // Without a slash at their end; empty for none.
  std::string external_url;
  std::string grafana_url;
  std::string web_config_file;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  std::string config_file;
  bool dry_run = false;
  std::string events_from;  // "-" is standard input
  bool once = false;
  // From the configuration file only.
  std::vector<SinkConfig> sinks;

  // The values of each row of the table, in its order. A reload compares them.
  std::vector<OptionValues> given;
};

// What main prints before it exits with `code`: help or version on stdout for
// 0, one sentence on stderr for 2.
struct Exit {
  int code = 0;
  std::string text;
  // The sentence without prefix and newline; empty for 0.
  std::string problem = {};
};

// `read` is called for the file of --config.file and the files that otlp sinks
// in it name. `environment` is for proxies. Thread-safe.
std::variant<Options, Exit> ParseFlags(
    int argc, const char* const* argv, const FileReader& read,
    const Environment& environment = ProcessEnvironment());

}  // namespace kem

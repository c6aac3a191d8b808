// From argv, and the configuration file it may name, to options that are valid,
// or to what to print instead. Used by main at the start, and again by a
// reload. Which options there are is said in option_table.h. Talks to nothing:
// a kubeconfig is judged by ResolveAccess.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "base/environment.h"
#include "base/file_reader.h"
#include "base/log.h"
#include "config/listen_address.h"
#include "config/option_table.h"
#include "events/event_filter.h"
#include "sinks/sink_config.h"

namespace kem {

// Validated: every value may be used as it is. The defaults are the table's.
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
  // 0: for ever.
  std::chrono::seconds retention = std::chrono::hours(24);
  bool created_timestamps = false;
  bool exemplars = false;
  // Empty to keep nothing.
  std::string state_file;
  std::chrono::milliseconds state_interval{10'000};
  ListenAddress listen_address;
  std::string telemetry_path = "/metrics";
  std::string web_config_file;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
  std::string config_file;
  bool dry_run = false;
  std::string events_from;  // "-" is standard input
  bool once = false;
  // Of the configuration file only.
  std::vector<SinkConfig> sinks;

  // What each row of the table was given, in its order: by this a reload sees
  // what changed.
  std::vector<OptionValues> given;
};

// What main prints before it ends with `code`: help and version on stdout with
// 0, one sentence on stderr with 2.
struct Exit {
  int code = 0;
  std::string text;
  // The sentence alone; empty with 0.
  std::string problem = {};
};

// Reads, by `read`, the file of --config.file and what an otlp sink in it
// names, and no other. `environment` is for proxies. Thread-safe.
std::variant<Options, Exit> ParseFlags(
    int argc, const char* const* argv, const FileReader& read,
    const Environment& environment = ProcessEnvironment());

}  // namespace kem

// The command line: from argv to options that are valid, or to what to print
// instead. The only place that knows flag names and help texts. Does not read
// files or talk to anything: a kubeconfig is judged by ResolveAccess.
#pragma once

#include <chrono>
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "scrape/listen_address.h"

namespace kem {

// Validated: every value may be used as it is.
struct Options {
  std::string kubeconfig;
  std::string context;
  std::string apiserver;
  // Empty for the whole cluster. Valid namespace names, each once.
  std::vector<std::string> namespaces;
  std::chrono::seconds watch_timeout{290};
  std::chrono::seconds birth_hold{75};
  ListenAddress listen_address;
  std::string telemetry_path = "/metrics";
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kLogfmt;
};

// What main prints before it ends with `code`: help and version on stdout with
// 0, one sentence on stderr with 2.
struct Exit {
  int code = 0;
  std::string text;
};

std::variant<Options, Exit> ParseFlags(int argc, const char* const* argv);

}  // namespace kem

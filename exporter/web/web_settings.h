// The web configuration as it is used: the file parsed, the certificates that
// it names loaded, and both again when they change on disk. Used by WebGate,
// and by main to refuse a wrong file before anything runs. What to do with it
// is the gate's.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls.h"
#include "web/web_config.h"

namespace kem {

struct WebSettings {
  WebConfig config;  // without inline PEM
  SslCtx context;    // null: plain HTTP
};

// Reads the file at `path` and those that it names. The error is
// kInvalidConfig, one sentence without secrets. Thread-safe.
Result<void> CheckWebConfig(const std::string& path);

// Not thread-safe.
class WebSettingsFile {
 public:
  // As CheckWebConfig.
  static Result<std::unique_ptr<WebSettingsFile>> Open(std::string path);

  // The settings of the moment, looking at the files once a `interval` at most.
  // When they have become unusable, the ones before stay, and one log line says
  // so. So they do when TLS was switched on or off: by mistake that would show
  // passwords to the network.
  const WebSettings& Current(SteadyTime now,
                             std::chrono::milliseconds interval);

 private:
  explicit WebSettingsFile(std::string path) : path_(std::move(path)) {}
  Result<void> Load();

  const std::string path_;
  WebSettings settings_;
  std::string digest_;     // of all files' contents
  SteadyTime looked_{};    // when
  std::string complaint_;  // told already
};

}  // namespace kem

// Loads the web configuration and the certificates that it names, and reloads
// them when they change on disk. Used by WebGate, which applies them, and by
// main to reject an invalid file at the start.
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
  SslCtx context;    // null for plain HTTP
};

// Not thread-safe.
class WebSettingsFile {
 public:
  // Reads the file and those that it names. The error is kInvalidConfig, one
  // sentence without secrets.
  static Result<std::unique_ptr<WebSettingsFile>> Open(std::string path);

  // The current settings; reads the files after each `interval`. Invalid files
  // are logged once and the former settings stay. They also stay when TLS was
  // turned on or off, or logins off, as by a file that is empty while an editor
  // writes it: that would expose passwords or the metrics.
  const WebSettings& Current(SteadyTime now,
                             std::chrono::milliseconds interval);

 private:
  explicit WebSettingsFile(std::string path) : path_(std::move(path)) {}
  Result<void> Load();

  const std::string path_;
  WebSettings settings_;
  std::string digest_;  // of each file's content
  SteadyTime read_at_{};
  std::string logged_problem_;
};

}  // namespace kem

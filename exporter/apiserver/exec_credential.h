// The protocol of credential plugins, client.authentication.k8s.io/v1 and
// v1beta1: the environment variable a plugin receives and the ExecCredential it
// prints. Used for the kubeconfig and by ExecPlugin, which runs the plugin.
// Pure functions, thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace kem {

// A plugin, ready to run.
struct ExecConfig {
  std::string command;  // a bare name, or an absolute path
  std::vector<std::string> args;
  std::vector<std::string> env;  // "NAME=value", added to the exporter's own
  std::string api_version;
  std::string install_hint;
};

// spec.cluster, for a plugin with provideClusterInfo.
struct ExecClusterInfo {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string ca_pem;
  std::string proxy_url;
  std::string config;  // JSON text, or empty
};

// A token, a certificate with its key, or both.
struct ExecCredential {
  std::string token;
  std::string certificate_pem;
  std::string key_pem;
  std::optional<WallTime> expires;
};

// True for the two supported versions.
bool IsExecApiVersion(std::string_view api_version);

// "KUBERNETES_EXEC_INFO=...". `cluster` may be null.
std::string ExecInfoVariable(const std::string& api_version,
                             const ExecClusterInfo* cluster);

// Parses a plugin's output, JSON or YAML of `api_version`. Checks that the
// token is valid in a header and that key and certificate match. Errors are
// clauses that quote nothing of the text, because it is secret.
Result<ExecCredential> ParseExecCredential(std::string_view text,
                                           std::string_view api_version);

}  // namespace kem

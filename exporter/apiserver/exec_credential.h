// What passes between us and a credential plugin, in the words of
// client.authentication.k8s.io/v1 and v1beta1: what it is told in its
// environment, and the ExecCredential that it prints. Used by the kubeconfig's
// resolver and by ExecPlugin, which runs it. Pure functions; no processes.
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
  std::vector<std::string> env;  // "NAME=value", on top of our own
  std::string api_version;
  std::string install_hint;
};

// The cluster, as spec.cluster tells it to a plugin that asks for it.
struct ExecClusterInfo {
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string ca_pem;
  std::string proxy_url;
  std::string config;  // JSON text, or empty
};

// What a plugin answered. A token, a certificate with its key, or both.
struct ExecCredential {
  std::string token;
  std::string certificate_pem;
  std::string key_pem;
  std::optional<WallTime> expires;
};

// True for the two versions that are understood.
bool IsExecApiVersion(std::string_view api_version);

// The variable KUBERNETES_EXEC_INFO, "NAME=value". `cluster` may be null.
std::string ExecInfoVariable(const std::string& api_version,
                             const ExecClusterInfo* cluster);

// Reads a plugin's output; it must be of `api_version`. The token can stand in
// a header, the key belongs to the certificate. Errors are clauses that never
// hold a part of the text: it is a secret.
Result<ExecCredential> ParseExecCredential(std::string_view text,
                                           std::string_view api_version);

}  // namespace kem

// The server's address and the credentials for it, found once at start in
// flags, kubeconfigs or the pod's service account, in kubectl's order. Also
// describes an OTLP collector (config/). Used by main and ApiTransport.
// Opens no connection; credentials.h handles later changes of token and
// certificate files.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apiserver/exec_credential.h"
#include "base/environment.h"
#include "base/file_reader.h"
#include "base/result.h"
#include "net/proxy_url.h"
#include "net/server_url.h"

namespace kem {

// Values of the flags; empty when not given.
struct AccessFlags {
  std::string kubeconfig;
  std::string context;
  std::string apiserver;
};

// A token or PEM text as of the start, and the file to read it from again; the
// file is empty for an inline text.
struct Material {
  std::string text;
  std::string file;

  bool empty() const { return text.empty() && file.empty(); }
};

struct ServerAccess {
  // For logs: "context kind of kubeconfig /root/.kube/config".
  std::string origin;
  ServerUrl server;
  std::optional<ProxyUrl> proxy;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  Material ca;
  Material client_certificate;
  Material client_key;
  Material token;
  std::string username;
  std::string password;
  // A plugin for token or client certificate; only without the fields above.
  std::optional<ExecConfig> exec;
  // Impersonate-* headers, ready to send.
  std::vector<std::pair<std::string, std::string>> impersonation;
};

// In this order: --kubeconfig (must exist), --apiserver alone (anonymous), the
// KUBECONFIG list, $HOME/.kube/config, the service account. A kubeconfig
// without current-context counts as none in a Pod. --apiserver with
// --kubeconfig or --context replaces the server's URL. Reads and checks every
// file, so that errors show at start. For an http:// server it removes all
// credentials and logs a warning. Without a proxy-url it uses the environment's
// proxy, also in a pod. Errors are kInvalidConfig. Rules: client-go
// tools/clientcmd and rest.InClusterConfig, but an unreadable in-cluster CA is
// an error.
Result<ServerAccess> ResolveAccess(const AccessFlags& flags,
                                   const Environment& environment,
                                   const FileReader& read = DiskFiles());

}  // namespace kem

// Where the API server is and who we are, found once at start: from flags,
// kubeconfigs or the pod's service account, in kubectl's order. Used by main
// (through HttplibTransport) and the tests. Talks to no server; later changes
// of token and certificate files are credentials.h's.
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

// As given on the command line; empty when not given.
struct AccessFlags {
  std::string kubeconfig;
  std::string context;
  std::string apiserver;
};

// A token or PEM text as it was at start, and the file to read it from again;
// no file when it was given inline.
struct Material {
  std::string text;
  std::string file;
};

struct ApiAccess {
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
  // Gives token or client certificate; only where the above give none.
  std::optional<ExecConfig> exec;
  // Impersonate-* headers, ready to send.
  std::vector<std::pair<std::string, std::string>> impersonation;
};

// In this order: --kubeconfig (must exist), --apiserver alone (anonymous), the
// KUBECONFIG list, $HOME/.kube/config, the service account. --apiserver with
// --kubeconfig or --context replaces the server's URL. Every file named is read
// and checked, so that a wrong one is told of at start. For an http:// server
// all credentials are left out, with a warning in the log. Where the kubeconfig
// has no proxy-url, the environment's proxies are used, in a pod too. Errors
// are kInvalidConfig, one sentence: where, what, how to mend it. Rules:
// client-go tools/clientcmd and rest.InClusterConfig; stricter in that an
// unreadable in-cluster CA is an error.
Result<ApiAccess> ResolveAccess(const AccessFlags& flags,
                                const Environment& environment,
                                const FileReader& read = DiskFiles());

}  // namespace kem

// Parses and merges kubeconfigs as kubectl does (client-go
// tools/clientcmd/loader.go). Used by ResolveAccess and a fuzzer. Does not read
// the files that a kubeconfig names, nor decode its inline data; see
// kubeconfig_access.h. How YAML is read: yaml_json.h.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_reader.h"
#include "base/result.h"

namespace kem {

// Values are as written, but file names are absolute: relative ones start at
// the kubeconfig's folder. `origin` is the kubeconfig of an entry.
struct KubeCluster {
  std::string origin;
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string certificate_authority;
  std::string certificate_authority_data;  // base64
  // The key of an authority that is there without a value; else empty.
  std::string empty_authority;
  std::string proxy_url;
  // The extension client.authentication.k8s.io/exec as JSON, which is passed to
  // credential plugins; empty when there is none.
  std::string exec_config;
};

// The exec section of a user: a credential plugin.
struct KubeExec {
  std::string command;  // a bare name, or an absolute path
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;
  std::string api_version;
  std::string install_hint;
  bool provide_cluster_info = false;
  std::string interactive_mode;
};

struct KubeUser {
  std::string origin;
  std::string client_certificate;
  std::string client_certificate_data;  // base64
  std::string client_key;
  std::string client_key_data;  // base64
  std::string token;
  std::string token_file;
  std::string username;
  std::string password;
  std::string as;
  std::string as_uid;
  std::vector<std::string> as_groups;
  std::map<std::string, std::vector<std::string>> as_user_extra;
  std::optional<KubeExec> exec;
  bool has_auth_provider = false;
};

struct KubeContext {
  std::string origin;
  std::string cluster;
  std::string user;
};

struct Kubeconfig {
  std::string current_context;
  std::map<std::string, KubeCluster> clusters;
  std::map<std::string, KubeUser> users;
  std::map<std::string, KubeContext> contexts;

  bool empty() const;
};

// Parses one file's text, YAML or JSON, of at most 4 MiB. `path`, which is not
// read, names the file in errors and is the base of relative names. Never
// throws. Thread-safe.
Result<Kubeconfig> ParseKubeconfig(std::string_view text,
                                   const std::string& path);

// Adds the entries that `into` lacks, and current-context if it has none.
// Entries of the same name are not combined.
void MergeKubeconfig(Kubeconfig& into, Kubeconfig from);

// Reads and merges `paths`; the first one takes precedence. Empty, repeated and
// missing paths are skipped, unreadable and invalid files are errors.
Result<Kubeconfig> LoadKubeconfigs(const std::vector<std::string>& paths,
                                   const FileReader& read);

}  // namespace kem

// Kubeconfig files as text: parsing and merging, as kubectl does them
// (client-go tools/clientcmd/loader.go). Used by ResolveAccess and a fuzzer.
// Reads no files named inside a kubeconfig, decodes no inline data and decides
// nothing: api_access.h does.
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

// Values are as written; relative file names are made absolute against the
// kubeconfig's own folder. `origin` is the file an entry came from.
struct KubeCluster {
  std::string origin;
  std::string server;
  std::string tls_server_name;
  bool insecure_skip_tls_verify = false;
  std::string certificate_authority;
  std::string certificate_authority_data;  // base64
  std::string proxy_url;
  // JSON text of the extension client.authentication.k8s.io/exec, which a
  // credential plugin is told; empty when there is none.
  std::string exec_config;
};

// The exec section of a user: how a credential plugin is run.
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

// Parses one file's text (YAML, so JSON too). `path` names the file in errors
// and entries and is where relative names start; it is not read. Never throws,
// whatever the text; texts over 4 MiB are refused. Pure.
Result<Kubeconfig> ParseKubeconfig(std::string_view text,
                                   const std::string& path);

// Adds what `from` has and `into` lacks: whole entries, never parts of one, and
// current-context when `into` has none.
void MergeKubeconfig(Kubeconfig& into, Kubeconfig from);

// Reads and merges `paths` in order; the first one wins. Empty, repeated and
// missing paths are passed over, unreadable and wrong files are errors.
Result<Kubeconfig> LoadKubeconfigs(const std::vector<std::string>& paths,
                                   const FileReader& read);

}  // namespace kem

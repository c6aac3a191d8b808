#include "apiserver/kubeconfig_access.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"

namespace kem {
namespace {

// Resolves one context, step by step; every error starts with `where`.
class ContextResolver {
 public:
  ContextResolver(std::string where, const FileReader& read)
      : where_(std::move(where)), read_(read) {
    access_.origin = where_;
  }

  // The entry of a context; `kind` is "cluster" or "user". As in client-go an
  // empty name may be that of an entry.
  template <typename Entry>
  Result<const Entry*> Find(const std::map<std::string, Entry>& entries,
                            const std::string& kind,
                            const std::string& name) const {
    const auto found = entries.find(name);
    if (found != entries.end()) return &found->second;
    if (name.empty()) return Refuse("it names no " + kind + "; add one");
    return Refuse("there is no " + kind + " " + name + "; correct the context");
  }

  Result<ServerAccess> Resolve(const KubeUser& user, const KubeCluster& cluster,
                               const std::string& apiserver) {
    const std::string& server = apiserver.empty() ? cluster.server : apiserver;
    Result<void> added = AddUser(user);
    if (added) added = AddCluster(cluster, server);
    // The name does not apply to the server of a flag (client-go's getCluster).
    if (apiserver.empty()) access_.tls_server_name = cluster.tls_server_name;
    if (added && user.exec) added = AddExec(*user.exec, cluster, server);
    if (!added) return added.error();
    return std::move(access_);
  }

 private:
  Error Refuse(const std::string& problem) const {
    return InvalidConfig(where_ + ": " + problem);
  }

  // A PEM text given as `data` (base64) or as `file`; `name` is the field's.
  Result<Material> Pem(const std::string& name, const std::string& data,
                       const std::string& file) const {
    if (!data.empty() && !file.empty()) {
      return Refuse(name + " and " + name + "-data are both given; keep one");
    }
    if (!data.empty()) {
      std::optional<std::string> text = DecodeBase64(data);
      if (!text || text->empty()) {
        return Refuse(name + "-data is not base64; encode the whole PEM file");
      }
      return Material{std::move(*text), ""};
    }
    if (file.empty()) return Material{};
    Result<std::string> text = File(name, file);
    if (!text) return text.error();
    return Material{std::move(*text), file};
  }

  Result<std::string> File(const std::string& name,
                           const std::string& file) const {
    Result<std::optional<std::string>> text = read_(file);
    if (!text) return Refuse(name + ": " + text.error().message);
    if (!text->has_value()) {
      return Refuse(name + " " + file + " does not exist; correct the path");
    }
    return std::move(**text);
  }

  Result<void> AddImpersonation(const KubeUser& user) {
    if (user.as.empty()) {
      if (user.as_uid.empty() && user.as_groups.empty() &&
          user.as_user_extra.empty()) {
        return {};
      }
      return Refuse(
          "as-uid, as-groups and as-user-extra need the user name in as");
    }
    auto& headers = access_.impersonation;
    headers.emplace_back("Impersonate-User", user.as);
    if (!user.as_uid.empty()) {
      headers.emplace_back("Impersonate-Uid", user.as_uid);
    }
    for (const std::string& group : user.as_groups) {
      headers.emplace_back("Impersonate-Group", group);
    }
    for (const auto& [key, values] : user.as_user_extra) {
      // As client-go's transport.headerKeyEscape.
      const std::string name =
          "Impersonate-Extra-" + PercentEncode(key, "!#$&'*+-.^_`|~");
      for (const std::string& value : values) headers.emplace_back(name, value);
    }
    for (const auto& [name, value] : headers) {
      if (std::any_of(value.begin(), value.end(), IsAsciiControl)) {
        return Refuse(
            "an impersonation value has a line break or another control "
            "character; remove it");
      }
    }
    return {};
  }

  Result<void> AddCluster(const KubeCluster& cluster,
                          const std::string& server) {
    if (!cluster.proxy_url.empty()) {
      Result<ProxyUrl> proxy = ParseProxyUrl(cluster.proxy_url);
      if (!proxy) {
        return Refuse("the proxy-url " + proxy.error().message +
                      "; write it as http://host:port");
      }
      access_.proxy = std::move(*proxy);
    }
    if (server.empty()) {
      return Refuse("its cluster has no server; add its URL");
    }
    Result<Material> ca =
        Pem("certificate-authority", cluster.certificate_authority_data,
            cluster.certificate_authority);
    if (!ca) return ca.error();
    access_.ca = std::move(*ca);
    access_.insecure_skip_tls_verify = cluster.insecure_skip_tls_verify;
    if (access_.insecure_skip_tls_verify && !access_.ca.empty()) {
      return Refuse(
          "insecure-skip-tls-verify and a certificate-authority exclude each "
          "other; keep one");
    }
    const bool has_tls_settings = access_.insecure_skip_tls_verify ||
                                  !access_.ca.empty() ||
                                  !access_.client_certificate.empty();
    Result<ServerUrl> url = ParseServerUrl(server, has_tls_settings);
    if (!url) {
      return Refuse("the server " + url.error().message +
                    "; write it as https://host:port");
    }
    access_.server = std::move(*url);
    // For client-go this means the authorities of the system. But it is what an
    // empty variable in a template makes of a cluster's own authority.
    if (access_.server.tls && !access_.insecure_skip_tls_verify &&
        access_.ca.empty() && !cluster.empty_authority.empty()) {
      return Refuse(cluster.empty_authority +
                    " is empty; give the CA, or remove the key to trust the "
                    "authorities of the system");
    }
    return {};
  }

  Result<void> AddKeyPair(const KubeUser& user) {
    Result<Material> certificate =
        Pem("client-certificate", user.client_certificate_data,
            user.client_certificate);
    if (!certificate) return certificate.error();
    // The key alone is ignored, as in client-go.
    if (certificate->empty()) return {};
    Result<Material> key =
        Pem("client-key", user.client_key_data, user.client_key);
    if (!key) return key.error();
    if (key->empty()) {
      return Refuse("client-certificate needs a client-key or client-key-data");
    }
    access_.client_certificate = std::move(*certificate);
    access_.client_key = std::move(*key);
    return {};
  }

  Result<void> AddUser(const KubeUser& user) {
    Result<void> pair = AddKeyPair(user);
    if (!pair) return pair;
    access_.token = Material{user.token, user.token_file};
    if (user.token.empty() && !user.token_file.empty()) {
      Result<std::string> token = File("tokenFile", user.token_file);
      if (!token) return token.error();
      access_.token.text = std::move(*token);
    }
    access_.username = user.username;
    access_.password = user.password;
    const bool has_basic = !user.username.empty() || !user.password.empty();
    if (has_basic && !user.token.empty()) {
      return Refuse("both a token and a username are given; keep one");
    }
    if (user.has_auth_provider && user.exec) {
      return Refuse("auth-provider and exec are both given; keep exec");
    }
    if (user.has_auth_provider) {
      return Refuse(
          "auth-provider is not supported; use a token, tokenFile or client "
          "certificate");
    }
    return AddImpersonation(user);
  }

  Result<void> CheckExec(const KubeExec& exec) const {
    if (exec.command.empty()) {
      return Refuse("exec has no command; add the plugin's program");
    }
    if (!IsExecApiVersion(exec.api_version)) {
      return Refuse("exec has the apiVersion \"" + exec.api_version +
                    "\"; use client.authentication.k8s.io/v1 or v1beta1");
    }
    for (const auto& [name, value] : exec.env) {
      if (name.empty() || name.find('=') != std::string::npos) {
        return Refuse("exec has an env entry without a valid name; correct it");
      }
    }
    if (exec.interactive_mode == "Always") {
      return Refuse(
          "exec has interactiveMode Always, but there is no terminal; use a "
          "plugin that needs none");
    }
    // Optional in v1beta1 (client-go's SetDefaults_ExecConfig).
    const bool known = exec.interactive_mode == "Never" ||
                       exec.interactive_mode == "IfAvailable" ||
                       (exec.interactive_mode.empty() &&
                        exec.api_version.ends_with("/v1beta1"));
    if (!known) {
      return Refuse("exec has the interactiveMode \"" + exec.interactive_mode +
                    "\"; use Never or IfAvailable");
    }
    return {};
  }

  // Runs last, because a plugin may receive the cluster, and is not used when
  // there are other credentials (as in client-go).
  Result<void> AddExec(const KubeExec& exec, const KubeCluster& cluster,
                       const std::string& server) {
    Result<void> checked = CheckExec(exec);
    if (!checked) return checked;
    if (!access_.token.empty() || !access_.username.empty() ||
        !access_.client_certificate.empty() ||
        !access_.server.user_info.empty()) {
      return {};
    }
    // As written, but without what is not used of it.
    const ExecClusterInfo info = {server.substr(0, server.find_first_of("?#")),
                                  access_.tls_server_name,
                                  access_.insecure_skip_tls_verify,
                                  access_.ca.text,
                                  cluster.proxy_url,
                                  cluster.exec_config};
    ExecConfig config;
    config.command = exec.command;
    config.args = exec.args;
    for (const auto& [name, value] : exec.env) {
      config.env.push_back(name + "=" + value);
    }
    config.env.push_back(ExecInfoVariable(
        exec.api_version, exec.provide_cluster_info ? &info : nullptr));
    config.api_version = exec.api_version;
    config.install_hint = exec.install_hint;
    access_.exec = std::move(config);
    return {};
  }

  const std::string where_;
  const FileReader& read_;
  ServerAccess access_;
};

}  // namespace

Result<ServerAccess> AccessFromKubeconfig(const Kubeconfig& config,
                                          const std::string& context,
                                          const std::string& apiserver,
                                          const std::string& where,
                                          const FileReader& read) {
  const std::string name = context.empty() ? config.current_context : context;
  const auto found = config.contexts.find(name);
  if (found == config.contexts.end() && name.empty()) {
    return InvalidConfig(where +
                         " has no current-context; choose one with --context");
  }
  if (found == config.contexts.end()) {
    return InvalidConfig(where + " has no context " + name +
                         "; choose another one with --context");
  }
  ContextResolver resolver(
      "context " + name + " of kubeconfig " + found->second.origin, read);
  const Result<const KubeCluster*> cluster =
      resolver.Find(config.clusters, "cluster", found->second.cluster);
  if (!cluster) return cluster.error();
  const KubeUser anonymous;
  const bool has_user =
      !found->second.user.empty() || config.users.contains("");
  const Result<const KubeUser*> user =
      has_user ? resolver.Find(config.users, "user", found->second.user)
               : &anonymous;
  if (!user) return user.error();
  return resolver.Resolve(**user, **cluster, apiserver);
}

}  // namespace kem

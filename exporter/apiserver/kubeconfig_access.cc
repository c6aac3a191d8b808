#include "apiserver/kubeconfig_access.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/base64.h"

namespace kem {
namespace {

// One context being resolved; every error says which one it is about.
class ContextResolver {
 public:
  ContextResolver(std::string where, const FileReader& read)
      : where_(std::move(where)), read_(read) {}

  const std::string& Where() const { return where_; }

  Error Refuse(const std::string& problem) const {
    return Error{ErrorCode::kInvalidConfig, where_ + ": " + problem};
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
        return Refuse(name +
                      "-data is not base64; encode the PEM file as a "
                      "whole");
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
      return Refuse(name + " names " + file + ", which does not exist");
    }
    return std::move(**text);
  }

 private:
  std::string where_;
  const FileReader& read_;
};

// As client-go's transport.headerKeyEscape: what may not stand in a header's
// name is percent-encoded.
std::string EscapeHeaderKey(const std::string& key) {
  static constexpr std::string_view kAllowed = "!#$&'*+-.^_`|~";
  std::string escaped;
  for (const char c : key) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9');
    if (letter || kAllowed.find(c) != std::string_view::npos) {
      escaped += c;
      continue;
    }
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    escaped += code.data();
  }
  return escaped;
}

Result<void> AddImpersonation(const KubeUser& user, ContextResolver& resolver,
                              ApiAccess& access) {
  if (user.as.empty()) {
    if (user.as_uid.empty() && user.as_groups.empty() &&
        user.as_user_extra.empty()) {
      return {};
    }
    return resolver.Refuse(
        "as-uid, as-groups and as-user-extra need the user name in as");
  }
  access.impersonation.emplace_back("Impersonate-User", user.as);
  if (!user.as_uid.empty()) {
    access.impersonation.emplace_back("Impersonate-Uid", user.as_uid);
  }
  for (const std::string& group : user.as_groups) {
    access.impersonation.emplace_back("Impersonate-Group", group);
  }
  for (const auto& [key, values] : user.as_user_extra) {
    for (const std::string& value : values) {
      access.impersonation.emplace_back(
          "Impersonate-Extra-" + EscapeHeaderKey(key), value);
    }
  }
  for (const auto& [name, value] : access.impersonation) {
    if (std::any_of(value.begin(), value.end(), [](char c) {
          return c == '\x7F' || static_cast<unsigned char>(c) < ' ';
        })) {
      return resolver.Refuse(
          "an impersonation value holds a line break or "
          "another control character");
    }
  }
  return {};
}

Result<void> AddCluster(const KubeCluster& cluster,
                        const std::string& apiserver, ContextResolver& resolver,
                        ApiAccess& access) {
  if (!cluster.proxy_url.empty()) {
    Result<ProxyUrl> proxy = ParseProxyUrl(cluster.proxy_url);
    if (!proxy) {
      return resolver.Refuse("the proxy-url " + proxy.error().message +
                             "; write it as http://host:port");
    }
    access.proxy = std::move(*proxy);
  }
  const std::string& server = apiserver.empty() ? cluster.server : apiserver;
  if (server.empty()) {
    return resolver.Refuse("its cluster has no server; add its URL");
  }
  Result<Material> ca =
      resolver.Pem("certificate-authority", cluster.certificate_authority_data,
                   cluster.certificate_authority);
  if (!ca) return ca.error();
  access.ca = std::move(*ca);
  access.insecure_skip_tls_verify = cluster.insecure_skip_tls_verify;
  if (access.insecure_skip_tls_verify && !access.ca.text.empty()) {
    return resolver.Refuse(
        "insecure-skip-tls-verify and a certificate-authority exclude each "
        "other; keep one");
  }
  const bool identifies = !access.client_certificate.text.empty();
  Result<ServerUrl> url =
      ParseServerUrl(server, access.insecure_skip_tls_verify || identifies ||
                                 !access.ca.text.empty());
  if (!url) {
    return resolver.Refuse("the server " + url.error().message +
                           "; write it as https://host:port");
  }
  access.server = std::move(*url);
  // A flag that names another server makes the kubeconfig's name for the old
  // one void (client-go's getCluster).
  if (apiserver.empty()) access.tls_server_name = cluster.tls_server_name;
  return {};
}

Result<void> AddKeyPair(const KubeUser& user, ContextResolver& resolver,
                        ApiAccess& access) {
  Result<Material> certificate =
      resolver.Pem("client-certificate", user.client_certificate_data,
                   user.client_certificate);
  if (!certificate) return certificate.error();
  if (certificate->text.empty()) return {};
  Result<Material> key =
      resolver.Pem("client-key", user.client_key_data, user.client_key);
  if (!key) return key.error();
  if (key->text.empty()) {
    return resolver.Refuse(
        "client-certificate needs a client-key or client-key-data");
  }
  access.client_certificate = std::move(*certificate);
  access.client_key = std::move(*key);
  return {};
}

Result<void> AddUser(const KubeUser& user, ContextResolver& resolver,
                     ApiAccess& access) {
  Result<void> pair = AddKeyPair(user, resolver, access);
  if (!pair) return pair;
  access.token = Material{user.token, user.token_file};
  if (user.token.empty() && !user.token_file.empty()) {
    Result<std::string> token = resolver.File("tokenFile", user.token_file);
    if (!token) return token.error();
    access.token.text = std::move(*token);
  }
  access.username = user.username;
  access.password = user.password;
  const bool has_basic = !user.username.empty() || !user.password.empty();
  if (has_basic && !user.token.empty()) {
    return resolver.Refuse("both a token and a username are given; keep one");
  }
  if (user.has_auth_provider && user.exec) {
    return resolver.Refuse("auth-provider and exec are both given; keep exec");
  }
  if (user.has_auth_provider) {
    return resolver.Refuse(
        "auth-provider is not supported; use a token, tokenFile or client "
        "certificate");
  }
  return AddImpersonation(user, resolver, access);
}

Result<void> CheckExec(const KubeExec& exec, const ContextResolver& resolver) {
  if (exec.command.empty()) {
    return resolver.Refuse("exec has no command; name the plugin's program");
  }
  if (!IsExecApiVersion(exec.api_version)) {
    return resolver.Refuse(
        "exec has the apiVersion \"" + exec.api_version +
        "\"; client.authentication.k8s.io/v1 and v1beta1 are understood");
  }
  for (const auto& [name, value] : exec.env) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return resolver.Refuse("exec has an env entry without a proper name");
    }
  }
  if (exec.interactive_mode == "Always") {
    return resolver.Refuse(
        "exec has interactiveMode Always, but nobody is there to answer; use "
        "a plugin that needs no terminal");
  }
  // In v1beta1 it may be left out (client-go's SetDefaults_ExecConfig).
  const bool known =
      exec.interactive_mode == "Never" ||
      exec.interactive_mode == "IfAvailable" ||
      (exec.interactive_mode.empty() && exec.api_version.ends_with("/v1beta1"));
  if (!known) {
    return resolver.Refuse("exec has the interactiveMode \"" +
                           exec.interactive_mode +
                           "\"; use Never or IfAvailable");
  }
  return {};
}

// After AddUser and AddCluster: the plugin is told of the cluster, and it is
// left out where there are credentials already, as client-go does.
Result<void> AddExec(const KubeUser& user, const KubeCluster& cluster,
                     const ContextResolver& resolver, ApiAccess& access) {
  if (!user.exec) return {};
  Result<void> checked = CheckExec(*user.exec, resolver);
  if (!checked) return checked;
  if (!access.token.text.empty() || !access.username.empty() ||
      !access.password.empty() || !access.client_certificate.text.empty()) {
    return {};
  }
  const KubeExec& exec = *user.exec;
  const ExecClusterInfo told = {access.server.ToString(),
                                access.tls_server_name,
                                access.insecure_skip_tls_verify,
                                access.ca.text,
                                cluster.proxy_url,
                                cluster.exec_config};
  ExecConfig config;
  config.command = exec.command;
  config.args = exec.args;
  for (const auto& [name, value] : exec.env) {
    config.env.push_back(name + "=" + value);
  }
  config.env.push_back(ExecInfoVariable(
      exec.api_version, exec.provide_cluster_info ? &told : nullptr));
  config.api_version = exec.api_version;
  config.install_hint = exec.install_hint;
  access.exec = std::move(config);
  return {};
}

template <typename Entry>
Result<const Entry*> Find(const std::map<std::string, Entry>& entries,
                          const std::string& kind, const std::string& name,
                          const ContextResolver& resolver) {
  if (name.empty()) {
    return resolver.Refuse("it names no " + kind + "; add one");
  }
  const auto found = entries.find(name);
  if (found == entries.end()) {
    return resolver.Refuse("there is no " + kind + " " + name +
                           "; correct the context");
  }
  return &found->second;
}

}  // namespace

Result<ApiAccess> AccessFromKubeconfig(const Kubeconfig& config,
                                       const std::string& context,
                                       const std::string& apiserver,
                                       const std::string& where,
                                       const FileReader& read) {
  const std::string name = context.empty() ? config.current_context : context;
  if (name.empty()) {
    return Error{ErrorCode::kInvalidConfig,
                 where + " has no current-context; choose one by --context"};
  }
  const auto found = config.contexts.find(name);
  if (found == config.contexts.end()) {
    return Error{ErrorCode::kInvalidConfig,
                 where + " has no context " + name +
                     "; choose another one by --context"};
  }
  ContextResolver resolver(
      "context " + name + " of kubeconfig " + found->second.origin, read);
  const Result<const KubeCluster*> cluster =
      Find(config.clusters, "cluster", found->second.cluster, resolver);
  if (!cluster) return cluster.error();
  const Result<const KubeUser*> user =
      Find(config.users, "user", found->second.user, resolver);
  if (!user) return user.error();
  ApiAccess access;
  access.origin = resolver.Where();
  Result<void> added = AddUser(**user, resolver, access);
  if (!added) return added.error();
  added = AddCluster(**cluster, apiserver, resolver, access);
  if (!added) return added.error();
  added = AddExec(**user, **cluster, resolver, access);
  if (!added) return added.error();
  return access;
}

}  // namespace kem

#include "apiserver/server_access.h"

#include <string_view>
#include <utility>

#include "apiserver/credentials.h"
#include "apiserver/kubeconfig.h"
#include "apiserver/kubeconfig_access.h"
#include "base/ascii.h"
#include "base/log.h"
#include "net/tls.h"

namespace kem {
namespace {

constexpr char kTokenFile[] =
    "/var/run/secrets/kubernetes.io/serviceaccount/token";
constexpr char kCaFile[] =
    "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";

std::string Get(const Environment& environment, const std::string& name) {
  return environment(name).value_or("");
}

std::vector<std::string> SplitList(std::string_view list) {
  std::vector<std::string> paths;
  while (!list.empty()) {
    const std::string_view path = TakeUntil(list, ':');
    if (!path.empty()) paths.emplace_back(path);
  }
  return paths;
}

bool Exists(const std::string& path, const FileReader& read) {
  const Result<std::optional<std::string>> text = read(path);
  return !text || text->has_value();
}

Result<std::string> ServiceAccountFile(const std::string& path,
                                       const FileReader& read) {
  Result<std::optional<std::string>> text = read(path);
  const std::string advice =
      "; mount the service account (automountServiceAccountToken) or use "
      "--kubeconfig";
  if (!text) {
    return InvalidConfig("in-cluster: " + text.error().message + advice);
  }
  if (!text->has_value() || (*text)->empty()) {
    return InvalidConfig("in-cluster: " + path +
                         (text->has_value() ? " is empty" : " does not exist") +
                         advice);
  }
  return std::move(**text);
}

Result<ServerAccess> InClusterAccess(const std::string& host,
                                     const std::string& port,
                                     const FileReader& read) {
  ServerAccess access;
  access.origin = "in-cluster service account";
  Result<ServerUrl> url =
      ParseServerUrl("https://" + BracketHost(host) + ":" + port, true);
  if (!url) {
    return InvalidConfig(
        "in-cluster: the URL from KUBERNETES_SERVICE_HOST and _PORT, " +
        url.error().message + "; correct them or use --kubeconfig");
  }
  access.server = std::move(*url);
  Result<std::string> token = ServiceAccountFile(kTokenFile, read);
  if (!token) return token.error();
  access.token = Material{std::move(*token), kTokenFile};
  Result<std::string> ca = ServiceAccountFile(kCaFile, read);
  if (!ca) return ca.error();
  access.ca = Material{std::move(*ca), kCaFile};
  return access;
}

Result<ServerAccess> FindAccess(const AccessFlags& flags,
                                const Environment& environment,
                                const FileReader& read) {
  // The kubeconfigs, separated by ':' unless from the flag.
  std::string where = flags.kubeconfig;
  std::vector<std::string> paths = {where};
  if (!where.empty()) {
    const Result<std::optional<std::string>> text = read(where);
    if (text && !text->has_value()) {
      return InvalidConfig("--kubeconfig " + where +
                           ": the file does not exist; correct the path");
    }
  } else if (!flags.apiserver.empty() && flags.context.empty()) {
    ServerAccess access;
    access.origin = "--apiserver";
    Result<ServerUrl> url = ParseServerUrl(flags.apiserver, false);
    if (!url) {
      return InvalidConfig("--apiserver " + url.error().message +
                           "; write it as https://host:port");
    }
    access.server = std::move(*url);
    return access;
  } else {
    where = Get(environment, "KUBECONFIG");
    paths = SplitList(where);
    if (where.empty() && !Get(environment, "HOME").empty()) {
      where = Get(environment, "HOME") + "/.kube/config";
      paths = {where};
    }
  }
  const Result<Kubeconfig> config = LoadKubeconfigs(paths, read);
  if (!config) return config.error();
  const std::string host = Get(environment, "KUBERNETES_SERVICE_HOST");
  const std::string port = Get(environment, "KUBERNETES_SERVICE_PORT");
  const bool in_pod = !host.empty() && !port.empty();
  if (!config->empty() || !flags.kubeconfig.empty() || !flags.context.empty()) {
    const bool chooses = !flags.context.empty() || !flags.apiserver.empty() ||
                         !config->current_context.empty() ||
                         config->contexts.contains("");
    if (chooses || !in_pod || !Exists(kTokenFile, read)) {
      return AccessFromKubeconfig(*config, flags.context, flags.apiserver,
                                  "kubeconfig " + where, read);
    }
    LogWarn(
        "The kubeconfig has no current-context, using the service account of "
        "the Pod",
        {{"kubeconfig", where}});
  }
  if (in_pod) return InClusterAccess(host, port, read);
  return InvalidConfig("no cluster to watch: there is no kubeconfig" +
                       (paths.empty() ? std::string() : " at " + where) +
                       " and no in-cluster service account; use --kubeconfig, "
                       "KUBECONFIG or --apiserver");
}

// Removes what must not be sent unencrypted (as client-go's ClientConfig, which
// reads no credentials for such a server).
void DropCredentials(ServerAccess& access) {
  if (!access.token.empty() || !access.username.empty() ||
      !access.client_certificate.empty() || access.exec ||
      !access.server.user_info.empty()) {
    LogWarn("Credentials are not sent to a plain http server",
            {{"server", access.server.ToString()}, {"from", access.origin}});
  }
  access.ca = access.client_certificate = access.client_key = access.token =
      Material();
  access.username.clear();
  access.password.clear();
  access.server.user_info.clear();
  access.exec.reset();
}

Result<void> CheckMaterial(const ServerAccess& access) {
  if (!access.ca.empty()) {
    const Result<void> ca = CheckAuthority(access.ca);
    if (!ca) {
      return InvalidConfig(
          access.origin + ": the certificate authority " +
          (access.ca.file.empty() ? "" : access.ca.file + " ") +
          ca.error().message + "; give the PEM file of the CA");
    }
  }
  if (!access.client_certificate.empty()) {
    const Result<void> pair =
        CheckKeyPair(access.client_certificate.text, access.client_key.text);
    if (!pair) {
      return InvalidConfig(access.origin + ": " + pair.error().message +
                           "; give a PEM certificate and its key");
    }
  }
  if (!access.token.empty() && !CleanToken(access.token.text)) {
    return InvalidConfig(
        access.origin + ": the token " +
        (access.token.file.empty() ? "" : access.token.file + " ") +
        "is empty or contains blanks; give the token only");
  }
  return {};
}

}  // namespace

Result<ServerAccess> ResolveAccess(const AccessFlags& flags,
                                   const Environment& environment,
                                   const FileReader& read) {
  Result<ServerAccess> access = FindAccess(flags, environment, read);
  if (!access) return access;
  if (!access->proxy) {
    Result<std::optional<ProxyUrl>> proxy =
        ProxyFromEnvironment(access->server, environment);
    if (!proxy) return proxy.error();
    access->proxy = std::move(*proxy);
  }
  if (!access->server.tls) DropCredentials(*access);
  const Result<void> checked = CheckMaterial(*access);
  if (!checked) return checked.error();
  if (access->proxy) {
    access->origin += " through the proxy " + access->proxy->ToString();
  }
  return access;
}

}  // namespace kem

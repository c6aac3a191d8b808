#include "config/collector_access.h"

#include <string_view>
#include <utility>

#include "apiserver/credentials.h"
#include "base/ascii.h"
#include "net/tls.h"
#include "sinks/otlp_sink.h"

namespace kem {
namespace {

Result<Material> ReadMaterial(std::string_view key, const std::string& file,
                              const FileReader& read) {
  if (file.empty()) return Material();
  const std::string name = std::string(key) + " ";
  Result<std::optional<std::string>> text = read(file);
  if (!text) return InvalidConfig(name + text.error().message);
  if (!text->has_value()) return InvalidConfig(name + file + " does not exist");
  return Material{std::move(**text), file};
}

Result<ServerUrl> ReadEndpoint(const std::string& endpoint) {
  const std::string name =
      "endpoint " + Quoted(WithoutCredentials(endpoint)) + " ";
  if (endpoint.find("://") == std::string::npos) {
    return InvalidConfig(name + "must begin with https:// or http://");
  }
  Result<ServerUrl> url = ParseServerUrl(endpoint, false);
  if (!url) return InvalidConfig("endpoint " + url.error().message);
  if (endpoint.find_first_of("?#@") != std::string::npos) {
    return InvalidConfig(name +
                         "must not have a user name, query or fragment; use "
                         "headers-file for credentials");
  }
  if (url->path_prefix.ends_with("/v1/logs")) {
    return InvalidConfig(name +
                         "must not end with /v1/logs, which the exporter adds");
  }
  return url;
}

Result<void> ReadFiles(const SinkConfig& sink, const FileReader& read,
                       ServerAccess& access) {
  Result<Material> ca = ReadMaterial("ca-file", sink.ca_file, read);
  if (!ca) return ca.error();
  if (!ca->file.empty()) {
    const Result<void> checked = CheckAuthority(*ca);
    if (!checked) {
      return InvalidConfig("ca-file " + ca->file + " " +
                           checked.error().message);
    }
  }
  access.ca = std::move(*ca);
  Result<Material> cert = ReadMaterial("cert-file", sink.cert_file, read);
  if (!cert) return cert.error();
  Result<Material> key = ReadMaterial("key-file", sink.key_file, read);
  if (!key) return key.error();
  if (!cert->file.empty()) {
    const Result<void> pair = CheckKeyPair(cert->text, key->text);
    if (!pair) {
      return InvalidConfig("cert-file " + cert->file + ": " +
                           pair.error().message);
    }
  }
  access.client_certificate = std::move(*cert);
  access.client_key = std::move(*key);
  return {};
}

}  // namespace

Result<ServerAccess> ResolveCollector(const SinkConfig& sink,
                                      const Environment& environment,
                                      const FileReader& read) {
  ServerAccess access;
  access.origin = "the sink " + sink.queue.name;
  Result<ServerUrl> server = ReadEndpoint(sink.endpoint);
  if (!server) return server.error();
  access.server = std::move(*server);
  if (!access.server.tls && !(sink.ca_file.empty() && sink.cert_file.empty())) {
    return InvalidConfig(
        "endpoint \"" + sink.endpoint +
        "\" must begin with https:// when ca-file or cert-file is set");
  }
  const Result<void> files = ReadFiles(sink, read, access);
  if (!files) return files.error();
  const Result<Material> headers =
      ReadMaterial("headers-file", sink.headers_file, read);
  if (!headers) return headers.error();
  const Result<HeaderFields> fields = ParseHeaderFile(headers->text);
  if (!fields) {
    return InvalidConfig("headers-file " + headers->file + " " +
                         fields.error().message);
  }
  Result<std::optional<ProxyUrl>> proxy =
      ProxyFromEnvironment(access.server, environment);
  if (!proxy) return proxy.error();
  access.proxy = std::move(*proxy);
  return access;
}

}  // namespace kem

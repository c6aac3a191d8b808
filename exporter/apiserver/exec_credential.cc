#include "apiserver/exec_credential.h"

#include <nlohmann/json.hpp>

#include "apiserver/credentials.h"
#include "apiserver/yaml_json.h"
#include "base/ascii.h"
#include "base/encoding.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "net/tls.h"

namespace kem {
namespace {

using nlohmann::json;

Error Malformed(std::string why) {
  return Error{ErrorCode::kMalformed, std::move(why)};
}

// Reads an optional member, which may be null as in Go; false when it is not a
// string.
bool ReadText(const json& object, const char* key, std::string& text) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return true;
  const auto* value = found->get_ptr<const std::string*>();
  if (value != nullptr) text = *value;
  return value != nullptr;
}

// JSON or YAML, as client-go's decoders read it; discarded for anything else.
json ReadDocument(std::string_view text) {
  if (Trim(text, " \t\r\n").starts_with('{')) {
    return json::parse(text, nullptr, /*allow_exceptions=*/false);
  }
  const Result<std::string> yaml = YamlToJson(text);
  if (!yaml) return json(json::value_t::discarded);
  return json::parse(*yaml, nullptr, /*allow_exceptions=*/false);
}

Result<ExecCredential> ReadStatus(const json& status) {
  ExecCredential credential;
  std::string expires;
  for (const auto& [key, text] :
       {std::pair("token", &credential.token),
        std::pair("clientCertificateData", &credential.certificate_pem),
        std::pair("clientKeyData", &credential.key_pem),
        std::pair("expirationTimestamp", &expires)}) {
    if (!ReadText(status, key, *text)) {
      return Malformed(std::string("its status.") + key + " is not a string");
    }
  }
  if (!expires.empty()) {
    credential.expires = ParseRfc3339(expires);
    if (!credential.expires) {
      return Malformed("its status.expirationTimestamp is not a time");
    }
  }
  return credential;
}

Result<void> Check(ExecCredential& credential) {
  if (credential.certificate_pem.empty() != credential.key_pem.empty()) {
    return Malformed("it returned a client certificate or a key, but not both");
  }
  if (credential.token.empty() && credential.key_pem.empty()) {
    return Malformed("it returned neither a token nor a client certificate");
  }
  if (!credential.token.empty()) {
    std::optional<std::string> token = CleanToken(credential.token);
    if (!token) return Malformed("its token is empty or contains blanks");
    credential.token = std::move(*token);
  }
  if (!credential.key_pem.empty()) {
    const Result<void> pair =
        CheckKeyPair(credential.certificate_pem, credential.key_pem);
    if (!pair) return Malformed(pair.error().message);
  }
  return {};
}

}  // namespace

bool IsExecApiVersion(std::string_view api_version) {
  return api_version == "client.authentication.k8s.io/v1" ||
         api_version == "client.authentication.k8s.io/v1beta1";
}

std::string ExecInfoVariable(const std::string& api_version,
                             const ExecClusterInfo* cluster) {
  json spec = {{"interactive", false}};
  if (cluster != nullptr) {
    json& info = spec["cluster"];
    info["server"] = cluster->server;
    if (!cluster->tls_server_name.empty()) {
      info["tls-server-name"] = cluster->tls_server_name;
    }
    if (cluster->insecure_skip_tls_verify) {
      info["insecure-skip-tls-verify"] = true;
    }
    if (!cluster->ca_pem.empty()) {
      info["certificate-authority-data"] = EncodeBase64(cluster->ca_pem);
    }
    if (!cluster->proxy_url.empty()) info["proxy-url"] = cluster->proxy_url;
    info["config"] = json::parse(
        cluster->config.empty() ? "null" : cluster->config, nullptr, false);
  }
  const json variable = {{"kind", "ExecCredential"},
                         {"apiVersion", api_version},
                         {"spec", std::move(spec)}};
  return "KUBERNETES_EXEC_INFO=" + JsonText(variable, JsonCharacters::kAscii);
}

Result<ExecCredential> ParseExecCredential(std::string_view text,
                                           std::string_view api_version) {
  const json root = ReadDocument(text);
  if (root.is_discarded()) {
    return Malformed("its output is neither JSON nor YAML");
  }
  std::string kind;
  std::string version;
  if (!root.is_object() || !ReadText(root, "kind", kind) ||
      !ReadText(root, "apiVersion", version) || kind != "ExecCredential") {
    return Malformed("its output is not an ExecCredential");
  }
  if (version != api_version) {
    return Malformed("its output does not have the apiVersion " +
                     std::string(api_version) + " of the kubeconfig");
  }
  const auto status = root.find("status");
  if (status == root.end() || !status->is_object()) {
    return Malformed("its output has no status");
  }
  Result<ExecCredential> credential = ReadStatus(*status);
  if (!credential) return credential;
  Result<void> checked = Check(*credential);
  if (!checked) return checked.error();
  return credential;
}

}  // namespace kem

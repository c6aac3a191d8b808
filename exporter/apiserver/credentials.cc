#include "apiserver/credentials.h"

#include <utility>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/log.h"

namespace kem {

std::optional<std::string> CleanToken(std::string_view text) {
  text = Trim(text, " \t\r\n");
  if (text.empty() || !IsVisibleAscii(text)) return std::nullopt;
  return std::string(text);
}

Result<void> CheckAuthority(const Material& ca) {
  const Result<size_t> broken = CheckCertificates(ca.text);
  if (!broken) return broken.error();
  if (*broken > 0) {
    LogWarn("Ignoring broken certificates of an authority",
            {{"file", ca.file}, {"count", *broken}});
  }
  return {};
}

Credentials::Credentials(ServerAccess access, FileReader read,
                         ProgramRunner run)
    : read_(std::move(read)), access_(std::move(access)) {
  if (access_.exec) plugin_.emplace(*access_.exec, clock_, std::move(run));
}

Result<uint64_t> Credentials::Prepare(uint64_t refused, std::stop_token stop) {
  if (!plugin_) return uint64_t{0};
  // Without the mutex, so that calls with a valid credential need not wait.
  const Result<ExecPlugin::Issued> issued =
      plugin_->Get(refused, std::move(stop));
  if (!issued) return issued.error();
  const std::lock_guard lock(mutex_);
  issued_ = issued->credential;
  return issued->number;
}

std::string Credentials::Authorization() {
  const std::lock_guard lock(mutex_);
  if (!access_.server.tls) return "";
  // net/http sets it first, and client-go does not replace it.
  if (!access_.server.user_info.empty()) {
    return "Basic " + EncodeBase64(access_.server.user_info);
  }
  if (!access_.token.file.empty()) {
    std::optional<std::string> text =
        Reread(access_.token, token_problem_, "token");
    if (text && !CleanToken(*text)) {
      Warn(token_problem_, "token", access_.token.file + " has no valid token");
    } else if (text) {
      access_.token.text = std::move(*text);
      token_problem_.clear();
    }
  }
  const std::optional<std::string> token = CleanToken(access_.token.text);
  if (token) return "Bearer " + *token;
  if (issued_ && !issued_->token.empty()) return "Bearer " + issued_->token;
  // client-go sends no password without a user name.
  if (access_.username.empty()) return "";
  return "Basic " + EncodeBase64(access_.username + ":" + access_.password);
}

TlsSettings Credentials::Tls() {
  const std::lock_guard lock(mutex_);
  if (!access_.ca.file.empty()) ReloadCa();
  if (!access_.client_certificate.file.empty() ||
      !access_.client_key.file.empty()) {
    ReloadKeyPair();
  }
  TlsSettings settings;
  settings.server_name = access_.tls_server_name.empty()
                             ? access_.server.host
                             : access_.tls_server_name;
  settings.insecure_skip_verify = access_.insecure_skip_tls_verify;
  if (!access_.ca.empty()) settings.ca_pem = access_.ca.text;
  settings.certificate_pem = access_.client_certificate.text;
  settings.key_pem = access_.client_key.text;
  if (issued_ && !issued_->key_pem.empty()) {
    settings.certificate_pem = issued_->certificate_pem;
    settings.key_pem = issued_->key_pem;
  }
  return settings;
}

void Credentials::Warn(std::string& last, std::string_view what,
                       std::string problem) {
  if (problem == last) return;
  last = std::move(problem);
  LogWarn("Reload failed, keeping the old credentials",
          {{"what", what}, {"error", last}});
}

std::optional<std::string> Credentials::Reread(const Material& material,
                                               std::string& last_problem,
                                               std::string_view what) {
  if (material.file.empty()) return material.text;
  Result<std::optional<std::string>> text = read_(material.file);
  if (!text) {
    Warn(last_problem, what, text.error().message);
    return std::nullopt;
  }
  if (!text->has_value()) {
    Warn(last_problem, what, material.file + " does not exist");
  }
  return std::move(*text);
}

void Credentials::ReloadCa() {
  std::optional<std::string> text =
      Reread(access_.ca, ca_problem_, "certificate authority");
  if (!text) return;
  if (*text != access_.ca.text) {
    const Result<void> checked = CheckAuthority({*text, access_.ca.file});
    if (!checked) {
      Warn(ca_problem_, "certificate authority",
           access_.ca.file + " " + checked.error().message);
      return;
    }
    access_.ca.text = std::move(*text);
    LogInfo("Loaded a new certificate authority", {{"file", access_.ca.file}});
  }
  ca_problem_.clear();
}

// Rotation replaces certificate and key one by one, so only a matching pair is
// adopted.
void Credentials::ReloadKeyPair() {
  constexpr std::string_view kWhat = "client certificate";
  Material& certificate = access_.client_certificate;
  Material& key = access_.client_key;
  std::optional<std::string> new_certificate =
      Reread(certificate, key_pair_problem_, kWhat);
  if (!new_certificate) return;
  std::optional<std::string> new_key = Reread(key, key_pair_problem_, kWhat);
  if (!new_key) return;
  if (*new_certificate != certificate.text || *new_key != key.text) {
    const Result<void> checked = CheckKeyPair(*new_certificate, *new_key);
    if (!checked) {
      Warn(key_pair_problem_, kWhat, checked.error().message);
      return;
    }
    certificate.text = std::move(*new_certificate);
    key.text = std::move(*new_key);
    LogInfo("Loaded a new client certificate", {{"file", certificate.file}});
  }
  key_pair_problem_.clear();
}

}  // namespace kem

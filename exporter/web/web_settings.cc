#include "web/web_settings.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "base/file_reader.h"
#include "base/log.h"
#include "web/server_tls.h"

namespace kem {
namespace {

std::string Sha256(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(),
             nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

Result<void> ReadPem(const std::string& file, const char* what,
                     std::string& pem, std::string& digest) {
  if (!file.empty()) {
    Result<std::string> text = ReadFile(file);
    if (!text) return text.error().WithPrefix(what);
    pem = std::move(*text);
  }
  digest += Sha256(pem);
  return {};
}

// Replaces file names by the PEM in them.
Result<void> ReadPems(WebTlsConfig& tls, std::string& digest) {
  Result<void> read = ReadPem(tls.cert_file, "cert_file", tls.cert, digest);
  if (read) read = ReadPem(tls.key_file, "key_file", tls.key, digest);
  if (read) {
    read = ReadPem(tls.client_ca_file, "client_ca_file", tls.client_ca, digest);
  }
  return read;
}

Error InFile(const std::string& path, const Error& error) {
  return InvalidConfig("--web.config.file " + path + ": " + error.message);
}

}  // namespace

Result<std::unique_ptr<WebSettingsFile>> WebSettingsFile::Open(
    std::string path) {
  std::unique_ptr<WebSettingsFile> file(new WebSettingsFile(std::move(path)));
  if (Result<void> loaded = file->Load(); !loaded) return loaded.error();
  return file;
}

Result<void> WebSettingsFile::Load() {
  const Result<std::string> text = ReadFile(path_);
  if (!text) return InFile(path_, text.error());
  Result<WebConfig> config = ParseWebConfig(*text, path_);
  if (!config) return config.error();
  std::string digest = Sha256(*text);
  if (config->tls) {
    if (Result<void> read = ReadPems(*config->tls, digest); !read) {
      return InFile(path_, read.error());
    }
  }
  if (digest == digest_) return {};
  if (!digest_.empty()) {
    if (config->tls.has_value() != (settings_.context != nullptr)) {
      return InFile(
          path_, InvalidConfig("restart the exporter to turn TLS on or off"));
    }
    if (config->users.empty() && !settings_.config.users.empty()) {
      return InFile(path_,
                    InvalidConfig("restart the exporter to turn logins off"));
    }
  }
  SslCtx context;
  if (config->tls) {
    Result<SslCtx> made = MakeServerContext(*config->tls);
    if (!made) return InFile(path_, made.error());
    context = std::move(*made);
    config->tls->cert.clear();
    config->tls->key.clear();
    config->tls->client_ca.clear();
  }
  if (!digest_.empty()) {
    LogInfo("Reloaded the web configuration", {{"file", path_}});
  }
  digest_ = std::move(digest);
  settings_ = {std::move(*config), std::move(context)};
  return {};
}

const WebSettings& WebSettingsFile::Current(
    SteadyTime now, std::chrono::milliseconds interval) {
  if (now < read_at_ + interval) return settings_;
  read_at_ = now;
  const Result<void> loaded = Load();
  if (loaded) {
    logged_problem_.clear();
  } else if (loaded.error().message != logged_problem_) {
    logged_problem_ = loaded.error().message;
    LogError("Reloading the web configuration failed, keeping the former one",
             {{"error", logged_problem_}});
  }
  return settings_;
}

}  // namespace kem

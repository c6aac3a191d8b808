#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <string_view>
#include <vector>

#include "net/server_url.h"

namespace kem {
namespace {

template <auto kFree>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

Bio ReadBio(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without this callback, OpenSSL asks for an encrypted key's password on the
// terminal.
int NoPassword(char*, int, int, void*) { return -1; }

Result<std::vector<Certificate>> ParseCertificates(const std::string& pem) {
  ERR_clear_error();
  const Bio bio = ReadBio(pem);
  std::vector<Certificate> certificates;
  while (X509* certificate =
             PEM_read_bio_X509(bio.get(), nullptr, NoPassword, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  if (ERR_GET_LIB(last) != ERR_LIB_PEM ||
      ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
    return InvalidConfig("has an invalid PEM certificate");
  }
  if (certificates.empty()) return InvalidConfig("has no PEM certificate");
  return certificates;
}

// The valid certificates of a bundle. As Go's CertPool.AppendCertsFromPEM, it
// takes what is between an END line and the BEGIN line before it.
struct Anchors {
  std::vector<Certificate> valid;
  size_t broken = 0;
};

Result<Anchors> ParseAnchors(std::string_view pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  Anchors anchors;
  size_t from = 0;
  for (size_t at = 0; (at = pem.find(kBegin, at)) != std::string_view::npos;) {
    ++anchors.broken;
    at += kBegin.size();
  }
  for (size_t end = 0; (end = pem.find(kEnd, from)) != std::string_view::npos;
       from = end + kEnd.size()) {
    const std::string_view part = pem.substr(from, end + kEnd.size() - from);
    const size_t begin = part.rfind(kBegin);
    if (begin == std::string_view::npos) continue;
    Result<std::vector<Certificate>> one =
        ParseCertificates(std::string(part.substr(begin)));
    if (!one) continue;
    anchors.valid.push_back(std::move(one->front()));
    --anchors.broken;
  }
  if (!anchors.valid.empty()) return anchors;
  return InvalidConfig(anchors.broken == 0 ? "has no PEM certificate"
                                           : "has no valid PEM certificate");
}

Result<Key> ParseKey(const std::string& pem) {
  const Bio bio = ReadBio(pem);
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassword, nullptr));
  ERR_clear_error();
  if (!key) return InvalidConfig("the key is not an unencrypted PEM key");
  return key;
}

// Makes `ssl` send its bytes through the session `below`.
bool UseSession(SSL* ssl, SSL* below) {
  BIO* bio = BIO_new(BIO_f_ssl());
  if (bio == nullptr) return false;
  BIO_set_ssl(bio, below, BIO_NOCLOSE);
  // Else freeing the BIO sends close_notify to the proxy.
  SSL_set_quiet_shutdown(below, 1);
  SSL_set_mode(below, SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_set_bio(ssl, bio, bio);
  return true;
}

}  // namespace

Result<void> TrustAuthorities(SSL_CTX* context, const std::string& pem,
                              bool system_too) {
  if (pem.empty() || system_too) SSL_CTX_set_default_verify_paths(context);
  if (pem.empty()) return {};
  const Result<Anchors> anchors = ParseAnchors(pem);
  if (!anchors) return anchors.error().WithPrefix("the CA bundle");
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& anchor : anchors->valid) {
    X509_STORE_add_cert(store, anchor.get());
  }
  return {};
}

Result<void> UseKeyPair(SSL_CTX* context, const std::string& certificate_pem,
                        const std::string& key_pem) {
  const Result<std::vector<Certificate>> chain =
      ParseCertificates(certificate_pem);
  if (!chain) return chain.error().WithPrefix("the certificate");
  const Result<Key> key = ParseKey(key_pem);
  if (!key) return key.error();
  bool used = SSL_CTX_use_certificate(context, chain->front().get()) == 1;
  for (size_t i = 1; used && i < chain->size(); ++i) {
    used = SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) == 1;
  }
  used = used && SSL_CTX_use_PrivateKey(context, key->get()) == 1 &&
         SSL_CTX_check_private_key(context) == 1;
  const std::string why = TlsFailure(nullptr);
  if (!used) {
    return InvalidConfig("the certificate and its key cannot be used: " + why);
  }
  return {};
}

void SslCtxDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

void SslDeleter::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Result<size_t> CheckCertificates(const std::string& pem) {
  const Result<Anchors> anchors = ParseAnchors(pem);
  if (!anchors) return anchors.error();
  return anchors->broken;
}

Result<void> CheckKeyPair(const std::string& certificate_pem,
                          const std::string& key_pem) {
  const SslCtx context(SSL_CTX_new(TLS_client_method()));
  if (!context) return InvalidConfig("OpenSSL: " + TlsFailure(nullptr));
  return UseKeyPair(context.get(), certificate_pem, key_pem);
}

Result<SslCtx> MakeTlsContext(const TlsSettings& settings) {
  SslCtx context(SSL_CTX_new(TLS_client_method()));
  if (!context) return InvalidConfig("OpenSSL: " + TlsFailure(nullptr));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Reads many small records with one system call.
  SSL_CTX_set_read_ahead(context.get(), 1);
  if (settings.insecure_skip_verify) {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  } else {
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context.get()),
                                X509_V_FLAG_PARTIAL_CHAIN);
    if (settings.ca_pem && settings.ca_pem->empty()) {
      return InvalidConfig("the CA bundle: has no PEM certificate");
    }
    Result<void> trusted = TrustAuthorities(
        context.get(), settings.ca_pem.value_or(""), settings.system_ca_too);
    if (!trusted) return trusted.error();
  }
  if (!settings.certificate_pem.empty()) {
    Result<void> used =
        UseKeyPair(context.get(), settings.certificate_pem, settings.key_pem);
    if (!used) return used.error();
  }
  return context;
}

Result<Ssl> MakeTlsSession(ssl_ctx_st* context, const TlsSettings& settings,
                           int fd, ssl_st* below) {
  Ssl ssl(SSL_new(context));
  const bool made = ssl && (below == nullptr ? SSL_set_fd(ssl.get(), fd) == 1
                                             : UseSession(ssl.get(), below));
  if (!made) return InvalidConfig("OpenSSL: " + TlsFailure(nullptr));
  // As Go, without the dot that marks a name as complete. OpenSSL takes an
  // empty name for any.
  std::string host = WithoutZone(settings.server_name);
  if (host.ends_with('.')) host.pop_back();
  if (host.empty()) return InvalidConfig("the server's name is empty");
  const char* name = host.c_str();
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl.get());
  bool named = true;
  if (IsIpAddress(host)) {
    named = X509_VERIFY_PARAM_set1_ip_asc(expected, name) == 1;
  } else {
    X509_VERIFY_PARAM_set_hostflags(expected,
                                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    named = X509_VERIFY_PARAM_set1_host(expected, name, 0) == 1 &&
            SSL_set_tlsext_host_name(ssl.get(), name) == 1;
  }
  if (!named) return InvalidConfig("OpenSSL: " + TlsFailure(nullptr));
  return ssl;
}

std::string TlsFailure(ssl_st* ssl) {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(first);
  std::string why = reason == nullptr ? "" : reason;
  if (ssl == nullptr) return why;
  const long verified = SSL_get_verify_result(ssl);
  if (ERR_GET_LIB(first) == ERR_LIB_SSL &&
      ERR_GET_REASON(first) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
      verified != X509_V_OK) {
    why += std::string(": ") + X509_verify_cert_error_string(verified);
  }
  return why;
}

}  // namespace kem

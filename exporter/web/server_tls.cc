#include "web/server_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kem {
namespace {

// How to verify clients; owned by the context.
struct ClientPolicy {
  bool verify = false;
  std::vector<std::string> allowed_sans;
};

void FreePolicy(void*, void* policy, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<ClientPolicy*>(policy);
}

int PolicyIndex() {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreePolicy);
  return index;
}

std::string_view Text(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

// The name in the form of Go's crypto/x509; empty for other kinds of names.
std::string SanText(const GENERAL_NAME* name) {
  switch (name->type) {
    case GEN_DNS:
      return std::string(Text(name->d.dNSName));
    case GEN_EMAIL:
      return std::string(Text(name->d.rfc822Name));
    case GEN_URI:
      return std::string(Text(name->d.uniformResourceIdentifier));
    case GEN_IPADD: {
      const std::string_view bytes = Text(name->d.iPAddress);
      std::array<char, INET6_ADDRSTRLEN> text{};
      const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
      if (bytes.size() != 4 && bytes.size() != 16) return "";
      ::inet_ntop(family, bytes.data(), text.data(), text.size());
      return text.data();
    }
    default:
      return "";
  }
}

bool HasAllowedSan(X509* certificate, const std::vector<std::string>& allowed) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
          certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const std::string san = SanText(sk_GENERAL_NAME_value(names.get(), i));
    if (!san.empty() &&
        std::find(allowed.begin(), allowed.end(), san) != allowed.end()) {
      return true;
    }
  }
  return false;
}

// Called only for a client with a certificate.
int VerifyClient(X509_STORE_CTX* store, void* argument) {
  const auto& policy = *static_cast<const ClientPolicy*>(argument);
  if (policy.verify && X509_verify_cert(store) != 1) return 0;
  if (!policy.allowed_sans.empty() &&
      !HasAllowedSan(X509_STORE_CTX_get0_cert(store), policy.allowed_sans)) {
    // The client gets the alert "bad certificate", as from Go.
    X509_STORE_CTX_set_error(store, X509_V_ERR_HOSTNAME_MISMATCH);
    return 0;
  }
  return 1;
}

// Selects HTTP/1.1 when offered; other clients are served as well.
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size,
                   const unsigned char* offered, unsigned int offered_size,
                   void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kHttp11, sizeof(kHttp11) - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

Error TlsError(const std::string& what) {
  const std::string why = TlsFailure(nullptr);
  return InvalidConfig(what + (why.empty() ? "" : ": " + why));
}

Result<void> SetClientPolicy(SSL_CTX* context, const WebTlsConfig& tls) {
  if (tls.client_auth == ClientAuth::kNone) return {};
  auto policy = std::make_unique<ClientPolicy>();
  policy->verify = tls.client_auth == ClientAuth::kVerifyIfGiven ||
                   tls.client_auth == ClientAuth::kRequireVerified;
  policy->allowed_sans = tls.client_allowed_sans;
  const bool required = tls.client_auth == ClientAuth::kRequireAny ||
                        tls.client_auth == ClientAuth::kRequireVerified;
  SSL_CTX_set_verify(
      context,
      SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
      nullptr);
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
                              X509_V_FLAG_PARTIAL_CHAIN);
  // Without a CA the system's apply, as in Go. They must not for an empty file,
  // with which Go refuses all clients.
  const bool from_file = !tls.client_ca_file.empty();
  if (from_file || !tls.client_ca.empty()) {
    if (const auto valid = CheckCertificates(tls.client_ca); !valid) {
      return InvalidConfig(
          (from_file ? "client_ca_file " + tls.client_ca_file : "client_ca") +
          " " + valid.error().message);
    }
  }
  if (Result<void> trusted = TrustAuthorities(context, tls.client_ca, false);
      !trusted) {
    return trusted.error().WithPrefix("client_ca");
  }
  SSL_CTX_set_cert_verify_callback(context, VerifyClient, policy.get());
  if (SSL_CTX_set_ex_data(context, PolicyIndex(), policy.get()) != 1) {
    return TlsError("OpenSSL");
  }
  // The context owns it.
  [[maybe_unused]] const ClientPolicy* kept = policy.release();
  return {};
}

Result<void> SetCiphers(SSL_CTX* context, const WebTlsConfig& tls) {
  if (tls.prefer_server_cipher_suites) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  std::string curves;
  for (const std::string& curve : tls.curves) {
    curves += (curves.empty() ? "" : ":") + curve;
  }
  if (!curves.empty() &&
      SSL_CTX_set1_groups_list(context, curves.c_str()) != 1) {
    return TlsError("curve_preferences cannot be used");
  }
  std::string ciphers;
  for (const std::string& name : tls.cipher_suites) {
    // Suites of TLS 1.3 are always enabled, as in Go.
    if (name.find("_WITH_") == std::string::npos) continue;
    ciphers += (ciphers.empty() ? "" : ":") +
               std::string(OPENSSL_cipher_name(name.c_str()));
  }
  int min_version = tls.min_version;
  if (ciphers.empty() && !tls.cipher_suites.empty()) {
    // Older versions have no suite.
    min_version = 3;
  }
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION + min_version);
  SSL_CTX_set_max_proto_version(context, TLS1_VERSION + tls.max_version);
  // Go's default: forward secrecy, and no CBC with SHA-256.
  if (ciphers.empty()) {
    ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES+SHA1";
  }
  // OpenSSL 3 allows TLS 1.0 and 1.1 at this level only.
  if (min_version < 2) ciphers += ":@SECLEVEL=0";
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) != 1) {
    return TlsError("cipher_suites cannot be used");
  }
  return {};
}

}  // namespace

Result<SslCtx> MakeServerContext(const WebTlsConfig& tls) {
  ERR_clear_error();
  SslCtx context(SSL_CTX_new(TLS_server_method()));
  if (!context) return TlsError("OpenSSL");
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET |
                                         SSL_OP_NO_RENEGOTIATION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  // Idle connections keep no buffers, and output_ moves between writes.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS |
                                      SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, nullptr);
  if (Result<void> set = SetCiphers(context.get(), tls); !set) {
    return set.error();
  }
  if (Result<void> used = UseKeyPair(context.get(), tls.cert, tls.key); !used) {
    return used.error();
  }
  if (Result<void> set = SetClientPolicy(context.get(), tls); !set) {
    return set.error();
  }
  return context;
}

Ssl MakeServerSession(ssl_ctx_st* context, int fd) {
  Ssl ssl(SSL_new(context));
  if (!ssl || SSL_set_fd(ssl.get(), fd) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace kem

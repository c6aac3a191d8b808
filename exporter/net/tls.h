// TLS contexts and sessions from PEM texts: the trusted authorities, the own
// certificate, the server's expected name. Used by Credentials, which checks
// files before it adopts them, by Connection, and by the web server. The only
// place that parses certificates. Opens no sockets. All calls are thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;
struct ssl_st;

namespace kem {

struct SslCtxDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using SslCtx = std::unique_ptr<ssl_ctx_st, SslCtxDeleter>;

struct SslDeleter {
  void operator()(ssl_st* ssl) const;
};
using Ssl = std::unique_ptr<ssl_st, SslDeleter>;

struct TlsSettings {
  // The subject alternative name, a host or an address, that the certificate
  // must have. Common names do not count, as in Go.
  std::string server_name;
  bool insecure_skip_verify = false;
  // Without a value: the system's. An empty text is an error, so that an empty
  // file never means them.
  std::optional<std::string> ca_pem;
  bool system_ca_too = false;
  // Certificate with its chain, and its key; both empty: none.
  std::string certificate_pem;
  std::string key_pem;

  bool operator==(const TlsSettings&) const = default;
};

// How many of the PEM certificates are broken and therefore ignored, as Go's
// CertPool does. An error unless there is a valid one: a clause without the
// file's name.
Result<size_t> CheckCertificates(const std::string& pem);

// An error unless both can be read and match. Encrypted keys are refused.
Result<void> CheckKeyPair(const std::string& certificate_pem,
                          const std::string& key_pem);

// A client context: TLS 1.2 or later, verification as in Go's crypto/x509 (any
// certificate of the CA bundle is an anchor, even an intermediate one).
Result<SslCtx> MakeTlsContext(const TlsSettings& settings);

// A client session on `fd`, which the caller still owns; not yet connected.
// With `below` the bytes travel inside that session of `fd`, which must outlive
// this one.
Result<Ssl> MakeTlsSession(ssl_ctx_st* context, const TlsSettings& settings,
                           int fd, ssl_st* below = nullptr);

// For any context, also a server's: trusts the valid certificates in `pem`, and
// those of the system with `system_too` or when `pem` is empty.
Result<void> TrustAuthorities(ssl_ctx_st* context, const std::string& pem,
                              bool system_too);
// For any context: presents this certificate.
Result<void> UseKeyPair(ssl_ctx_st* context, const std::string& certificate_pem,
                        const std::string& key_pem);

// Why the last OpenSSL call on this thread failed, as a clause, with the reason
// when a certificate was rejected; empty when OpenSSL has none. Clears the
// thread's error queue. `ssl` may be null.
std::string TlsFailure(ssl_st* ssl);

}  // namespace kem

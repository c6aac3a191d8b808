// What OpenSSL needs to know for one connection: whom to trust, who we are, who
// the server must be. Used by Credentials (checking files before it adopts
// them) and Connection. The only place that parses certificates; no sockets.
#pragma once

#include <memory>
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
  // The name or address that the certificate must carry as a subject
  // alternative name. Common names do not count, as in Go.
  std::string server_name;
  bool insecure_skip_verify = false;
  std::string ca_pem;  // empty: the system's
  bool system_ca_too = false;
  // Certificate with its chain, and its key; both empty: none.
  std::string certificate_pem;
  std::string key_pem;
};

// Whether the text holds at least one PEM certificate, and none broken. The
// error is a clause without the file's name. Thread-safe, as all here.
Result<void> CheckCertificates(const std::string& pem);

// Whether both can be read and belong together. Encrypted keys are refused.
Result<void> CheckKeyPair(const std::string& certificate_pem,
                          const std::string& key_pem);

// A client context: TLS 1.2 or newer, verification as in Go's crypto/x509 (any
// certificate of the CA bundle is an anchor, also an intermediate one).
Result<SslCtx> MakeTlsContext(const TlsSettings& settings);

// A client session on `fd`, not yet connected; `fd` stays the caller's. Where
// `below` is not null, the bytes travel in that session, which is `fd`'s and
// must outlive this one.
Result<Ssl> MakeTlsSession(ssl_ctx_st* context, const TlsSettings& settings,
                           int fd, ssl_st* below = nullptr);

// For any context, a server's too: trusts all certificates of the text, and the
// system's with `system_too` or without a text.
Result<void> TrustAuthorities(ssl_ctx_st* context, const std::string& pem,
                              bool system_too);
// And presents this certificate.
Result<void> UseKeyPair(ssl_ctx_st* context, const std::string& certificate_pem,
                        const std::string& key_pem);

// Why the last OpenSSL call on this thread failed, as a clause; certificate
// failures name what is wrong with the certificate. `ssl` may be null. Empties
// the thread's error queue. Empty when OpenSSL says nothing.
std::string TlsFailure(ssl_st* ssl);

}  // namespace kem

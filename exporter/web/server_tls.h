// The server's side of TLS: certificates and policy of a WebTlsConfig as an
// OpenSSL context. Used by WebSettings, once for each load. No sockets, and
// reads no files.
#pragma once

#include "base/result.h"
#include "net/tls.h"
#include "web/web_config.h"

namespace kem {

// `tls` has its PEM texts; file names are not looked at. The context keeps all
// that it needs. No session is ever resumed: client certificates are verified
// anew by every connection, and scrapers keep theirs. The error is a clause
// without secrets.
Result<SslCtx> MakeServerContext(const WebTlsConfig& tls);

// A session that waits for its client on `fd`, which stays the caller's. Null
// when there is no memory.
Ssl MakeServerSession(ssl_ctx_st* context, int fd);

}  // namespace kem

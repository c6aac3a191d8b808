// The server's side of TLS: the OpenSSL context of a WebTlsConfig. Used by
// WebSettings for each load and by WebGate for each connection. Reads no files
// and owns no socket.
#pragma once

#include "base/result.h"
#include "net/tls.h"
#include "web/web_config.h"

namespace kem {

// Uses the PEM texts of `tls` and ignores its file names. Sessions are not
// resumed: every connection verifies the client certificate, and scrapers keep
// their connections. The error is a clause without secrets.
Result<SslCtx> MakeServerContext(const WebTlsConfig& tls);

// A session for the client on `fd`, which the caller owns. Null when out of
// memory.
Ssl MakeServerSession(ssl_ctx_st* context, int fd);

}  // namespace kem

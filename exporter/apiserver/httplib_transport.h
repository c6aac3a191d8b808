// HttpTransport over real connections. Used by main, the app and the sinks; all
// other code uses HttpTransport. One connection per request: a watch lasts for
// minutes, and the next one uses new certificates and addresses. No redirects,
// no HTTP/2.
#pragma once

#include <memory>
#include <stop_token>

#include "apiserver/api_access.h"
#include "base/file_reader.h"
#include "net/http_transport.h"

namespace kem {

class HttplibTransport : public HttpTransport {
 public:
  // `access` comes from ResolveAccess; `read` reads token and certificate files
  // again later.
  explicit HttplibTransport(ApiAccess access, FileReader read = DiskFiles());
  ~HttplibTransport() override;
  HttplibTransport(const HttplibTransport&) = delete;
  HttplibTransport& operator=(const HttplibTransport&) = delete;

  // See HttpTransport. Allows 5 s each for TCP, the proxy and TLS; only the
  // name look-up delays a stop. An exception from `handler` ends as kAborted.
  // The process must ignore SIGPIPE.
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kem

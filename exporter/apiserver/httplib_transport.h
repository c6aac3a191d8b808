// HttpTransport over real connections, with cpp-httplib as the HTTP/1.1 codec.
// Used by main; everything else speaks HttpTransport. One connection a request:
// a watch lasts minutes and the next one then sees new certificates and
// addresses. No redirects, no HTTP/2.
#pragma once

#include <memory>
#include <stop_token>

#include "apiserver/api_access.h"
#include "base/file_reader.h"
#include "net/http_transport.h"

namespace kem {

class HttplibTransport : public HttpTransport {
 public:
  // Takes `access` as ResolveAccess found it; `read` serves token and
  // certificate files later on.
  explicit HttplibTransport(ApiAccess access, FileReader read = DiskFiles());
  ~HttplibTransport() override;
  HttplibTransport(const HttplibTransport&) = delete;
  HttplibTransport& operator=(const HttplibTransport&) = delete;

  // See HttpTransport. 5 s for connecting and 5 s for the TLS handshake; a name
  // look-up is the one thing that a stop must wait for. An exception from
  // `handler` ends as kAborted. The process must ignore SIGPIPE.
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kem

// HttpTransport over real connections. Used by main, the app and the sinks; all
// other code uses HttpTransport. One connection per request: a watch lasts for
// minutes, and the next one uses new certificates and addresses. No redirects,
// no HTTP/2.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "apiserver/credentials.h"
#include "apiserver/server_access.h"
#include "base/file_reader.h"
#include "net/http_transport.h"
#include "net/resolver.h"

namespace kem {

class ApiTransport : public HttpTransport {
 public:
  // `access` comes from ResolveAccess; `read` reads token and certificate files
  // again later. `resolver` must outlive this.
  ApiTransport(ServerAccess access, Resolver& resolver,
               FileReader read = DiskFiles());

  // See HttpTransport. Allows 30 s for the name look-up and 5 s each for TCP,
  // the proxy and TLS. An exception from `handler` ends as kAborted. The
  // process must ignore SIGPIPE.
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override;

 private:
  // The bytes of a request, with the current credentials.
  std::string Serialize(const HttpRequest& request);
  // Unless `retry` is null, a 401 sets it to the credential's number and is not
  // passed to the handler.
  HttpOutcome TryOnce(const HttpRequest& request, HttpHandler& handler,
                      std::stop_token stop, uint64_t refused,
                      std::optional<uint64_t>* retry);

  const ServerUrl server_;
  Resolver& resolver_;
  const std::optional<ProxyUrl> proxy_;
  const std::vector<std::pair<std::string, std::string>> impersonation_;
  Credentials credentials_;
};

}  // namespace kem

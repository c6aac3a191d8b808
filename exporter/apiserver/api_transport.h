// HttpTransport over real connections. Used by main, the app and the sinks; all
// other code uses HttpTransport. One connection per request: a watch lasts for
// minutes, and the next one uses new certificates and addresses. Sinks and the
// Lease send often, so they get transports that keep their connection. No
// redirects, no HTTP/2.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "apiserver/credentials.h"
#include "apiserver/server_access.h"
#include "base/clock.h"
#include "base/file_reader.h"
#include "net/http_transport.h"
#include "net/kept_connection.h"
#include "net/resolver.h"

namespace kem {

class ApiTransport : public HttpTransport {
 public:
  // `access` comes from ResolveAccess; `read` reads token and certificate files
  // again later. `resolver` must outlive this.
  ApiTransport(ServerAccess access, Resolver& resolver,
               FileReader read = DiskFiles());

  // A transport to the same server that keeps its connection from one request
  // to the next, for one thread at a time. Shares the credentials with this, so
  // that a credential plugin runs once for both; may outlive this. Counts the
  // connections that it opens in `opened` unless that is null, which must
  // outlive it as `clock` must.
  //
  // A server may close a kept connection at any time. If it does so before any
  // byte of the response, the request is sent once more, on a new connection,
  // although it may have been received. Therefore only for requests whose
  // repetition does no harm, whatever their method (RFC 9110 section 9.2.2, RFC
  // 9112 section 9.3.1): records with an id, creates of a fixed name, patches
  // to a given state, updates of a given resourceVersion.
  std::unique_ptr<HttpTransport> Keeping(
      const Clock& clock, std::atomic<uint64_t>* opened = nullptr) const;

  // See HttpTransport. Allows 30 s for the name look-up and 5 s each for TCP,
  // the proxy and TLS. An exception from `handler` ends as kAborted. The
  // process must ignore SIGPIPE.
  HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                   std::stop_token stop) override;

 private:
  struct Server {
    Server(ServerAccess access, Resolver& names, FileReader read);

    const ServerUrl url;
    Resolver& resolver;
    const std::optional<ProxyUrl> proxy;
    const std::vector<std::pair<std::string, std::string>> impersonation;
    Credentials credentials;
  };
  struct Kept {
    const Clock& clock;
    std::atomic<uint64_t>* opened;  // null: not counted
    KeptConnection connection = {};
  };
  struct Attempt;

  ApiTransport(std::shared_ptr<Server> server, Kept kept);

  // The bytes of a request, with the current credentials.
  std::string Serialize(const HttpRequest& request);
  // Sends the request on the kept connection or on a new one, and reads the
  // head.
  Attempt Begin(const HttpRequest& request, std::stop_token stop);
  // Unless `retry` is null, a 401 sets it to the credential's number and is not
  // passed to the handler.
  HttpOutcome TryOnce(const HttpRequest& request, HttpHandler& handler,
                      std::stop_token stop, uint64_t refused,
                      std::optional<uint64_t>* retry);

  const std::shared_ptr<Server> server_;
  std::optional<Kept> kept_;
};

}  // namespace kem

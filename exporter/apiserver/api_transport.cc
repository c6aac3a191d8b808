#include "apiserver/api_transport.h"

#include <exception>
#include <utility>

#include "base/ascii.h"
#include "net/connection.h"
#include "net/response_reader.h"
#include "version.h"

namespace kem {
namespace {

HttpOutcome TransportFailure(const Connection& connection, bool head_seen) {
  HttpEnd end = head_seen ? HttpEnd::kTruncated : HttpEnd::kUnreachable;
  if (connection.End() == IoEnd::kStopped) end = HttpEnd::kStopped;
  if (connection.End() == IoEnd::kTimeout) end = HttpEnd::kTimeout;
  return {end, connection.Message()};
}

// Passes the head and the rest of the response to the handler.
HttpOutcome ReadBody(const HttpHead& head, ResponseReader& response,
                     const Connection& connection, HttpHandler& handler) {
  HttpOutcome aborted = {HttpEnd::kAborted, "ended by its reader"};
  try {
    if (!handler.OnHead(head)) return aborted;
    while (true) {
      const std::optional<std::string_view> bytes = response.ReadBody();
      if (!bytes) return TransportFailure(connection, /*head_seen=*/true);
      if (bytes->empty()) return {HttpEnd::kComplete, ""};
      if (!handler.OnBody(*bytes)) return aborted;
    }
  } catch (const std::exception& e) {
    return {HttpEnd::kAborted, std::string("its reader failed: ") + e.what()};
  } catch (...) {
    return {HttpEnd::kAborted, "its reader failed"};
  }
}

// "host" or "host:port", without the scheme's own port.
std::string HostHeader(ServerUrl server) {
  server.host = WithoutZone(server.host);
  std::string host = server.Authority();
  const std::string own_port = server.tls ? ":443" : ":80";
  if (host.ends_with(own_port)) host.resize(host.size() - own_port.size());
  return host;
}

}  // namespace

// One request on one connection, up to the head of the response.
struct ApiTransport::Attempt {
  OpenConnection open;
  std::unique_ptr<ResponseReader> response = {};
  std::optional<HttpHead> head = {};  // empty after a failure
};

ApiTransport::Server::Server(ServerAccess access, Resolver& names,
                             FileReader read)
    : url(access.server),
      resolver(names),
      proxy(access.proxy),
      impersonation(access.impersonation),
      credentials(std::move(access), std::move(read)) {}

ApiTransport::ApiTransport(ServerAccess access, Resolver& resolver,
                           FileReader read)
    : server_(std::make_shared<Server>(std::move(access), resolver,
                                       std::move(read))) {}

ApiTransport::ApiTransport(std::shared_ptr<Server> server, Kept kept)
    : server_(std::move(server)), kept_(std::move(kept)) {}

std::unique_ptr<HttpTransport> ApiTransport::Keeping(
    const Clock& clock, std::atomic<uint64_t>* opened) const {
  return std::unique_ptr<HttpTransport>(
      new ApiTransport(server_, Kept{clock, opened}));
}

std::string ApiTransport::Serialize(const HttpRequest& request) {
  const std::string host = HostHeader(server_->url);
  std::string head = request.method;
  if (head.empty()) head = request.body.empty() ? "GET" : "POST";
  const bool sends_length = !request.body.empty() || head != "GET";
  head += ' ';
  std::string proxy_authorization;
  // There is no tunnel: the proxy forwards the request.
  const std::optional<ProxyUrl>& proxy = server_->proxy;
  if (proxy && !server_->url.tls && proxy->kind != ProxyUrl::Kind::kSocks5) {
    head += "http://" + host;
    proxy_authorization = proxy->Authorization();
  }
  head += server_->url.path_prefix + request.path + " HTTP/1.1\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  add("Host", host);
  add("User-Agent", std::string("kube-event-metrics/") + kVersion);
  add("Accept", request.accept);
  add("Accept-Encoding", "identity");
  if (!kept_) add("Connection", "close");
  for (const auto& [name, value] : server_->impersonation) add(name, value);
  for (const auto& [name, value] : request.headers) add(name, value);
  const std::string authorization = server_->credentials.Authorization();
  if (!authorization.empty()) add("Authorization", authorization);
  if (!proxy_authorization.empty()) {
    add("Proxy-Authorization", proxy_authorization);
  }
  if (!request.body.empty()) add("Content-Type", request.content_type);
  if (sends_length) add("Content-Length", std::to_string(request.body.size()));
  return head + "\r\n" + request.body;
}

ApiTransport::Attempt ApiTransport::Begin(const HttpRequest& request,
                                          std::stop_token stop) {
  const TlsSettings tls = server_->credentials.Tls();
  const SteadyTime until = std::chrono::steady_clock::now() + request.deadline;
  ConnectionLimits limits;
  limits.read = request.read_timeout;
  limits.deadline = request.deadline;
  const auto ask = [&](Attempt& attempt) {
    Connection& connection = *attempt.open.connection;
    attempt.response = std::make_unique<ResponseReader>(connection);
    if (connection.Write(Serialize(request))) {
      attempt.head = attempt.response->ReadHead();
    }
  };
  std::optional<OpenConnection> kept;
  if (kept_) kept = kept_->connection.Take(tls, kept_->clock.SteadyNow());
  if (kept) {
    Attempt again{std::move(*kept)};
    Connection& connection = *again.open.connection;
    if (connection.Renew(limits, stop)) ask(again);
    if (!connection.IsClosedUnanswered()) return again;
    // Both attempts share the deadline.
    limits.deadline = std::chrono::ceil<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
  }
  Attempt attempt{
      {std::make_unique<Connection>(limits, server_->resolver, std::move(stop)),
       tls,
       {}}};
  Connection& connection = *attempt.open.connection;
  if (!connection.Open(server_->url, tls, server_->proxy)) return attempt;
  if (kept_) {
    attempt.open.opened = kept_->clock.SteadyNow();
    if (kept_->opened != nullptr) ++*kept_->opened;
  }
  ask(attempt);
  return attempt;
}

HttpOutcome ApiTransport::TryOnce(const HttpRequest& request,
                                  HttpHandler& handler, std::stop_token stop,
                                  uint64_t refused,
                                  std::optional<uint64_t>* retry) {
  const Result<uint64_t> credential =
      server_->credentials.Prepare(refused, stop);
  if (!credential) {
    return {credential.error().code == ErrorCode::kCancelled
                ? HttpEnd::kStopped
                : HttpEnd::kUnreachable,
            credential.error().message};
  }
  Attempt attempt = Begin(request, std::move(stop));
  const Connection& connection = *attempt.open.connection;
  if (!attempt.head) return TransportFailure(connection, /*head_seen=*/false);
  if (retry != nullptr && attempt.head->status == 401) {
    *retry = *credential;
    return {};
  }
  HttpOutcome outcome =
      ReadBody(*attempt.head, *attempt.response, connection, handler);
  if (kept_ && attempt.response->MayReuse()) {
    kept_->connection.Keep(std::move(attempt.open),
                           attempt.response->idle_timeout(),
                           kept_->clock.SteadyNow());
  }
  return outcome;
}

HttpOutcome ApiTransport::Send(const HttpRequest& request, HttpHandler& handler,
                               std::stop_token stop) {
  // The path is sent as it is, so it must not contain a line end.
  if (!IsVisibleAscii(request.path)) {
    return {HttpEnd::kUnreachable, "the request's path is not percent-encoded"};
  }
  std::optional<uint64_t> refused;
  HttpOutcome outcome = TryOnce(request, handler, stop, 0, &refused);
  if (!refused) return outcome;
  // By now the token file may have changed; a plugin gives a new credential.
  return TryOnce(request, handler, std::move(stop), *refused, nullptr);
}

}  // namespace kem

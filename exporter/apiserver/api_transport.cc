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

ApiTransport::ApiTransport(ServerAccess access, Resolver& resolver,
                           FileReader read)
    : server_(access.server),
      resolver_(resolver),
      proxy_(access.proxy),
      impersonation_(access.impersonation),
      credentials_(std::move(access), std::move(read)) {}

std::string ApiTransport::Serialize(const HttpRequest& request) {
  const std::string host = HostHeader(server_);
  std::string head = request.method;
  if (head.empty()) head = request.body.empty() ? "GET" : "POST";
  const bool sends_length = !request.body.empty() || head != "GET";
  head += ' ';
  std::string proxy_authorization;
  // There is no tunnel: the proxy forwards the request.
  if (proxy_ && !server_.tls && proxy_->kind != ProxyUrl::Kind::kSocks5) {
    head += "http://" + host;
    proxy_authorization = proxy_->Authorization();
  }
  head += server_.path_prefix + request.path + " HTTP/1.1\r\n";
  const auto add = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  add("Host", host);
  add("User-Agent", std::string("kube-event-metrics/") + kVersion);
  add("Accept", request.accept);
  add("Accept-Encoding", "identity");
  add("Connection", "close");
  for (const auto& [name, value] : impersonation_) add(name, value);
  for (const auto& [name, value] : request.headers) add(name, value);
  const std::string authorization = credentials_.Authorization();
  if (!authorization.empty()) add("Authorization", authorization);
  if (!proxy_authorization.empty()) {
    add("Proxy-Authorization", proxy_authorization);
  }
  if (!request.body.empty()) add("Content-Type", request.content_type);
  if (sends_length) add("Content-Length", std::to_string(request.body.size()));
  return head + "\r\n" + request.body;
}

HttpOutcome ApiTransport::TryOnce(const HttpRequest& request,
                                  HttpHandler& handler, std::stop_token stop,
                                  uint64_t refused,
                                  std::optional<uint64_t>* retry) {
  const Result<uint64_t> credential = credentials_.Prepare(refused, stop);
  if (!credential) {
    return {credential.error().code == ErrorCode::kCancelled
                ? HttpEnd::kStopped
                : HttpEnd::kUnreachable,
            credential.error().message};
  }
  ConnectionLimits limits;
  limits.read = request.read_timeout;
  limits.deadline = request.deadline;
  Connection connection(limits, resolver_, std::move(stop));
  ResponseReader response(connection);
  std::optional<HttpHead> head;
  if (connection.Open(server_, credentials_.Tls(), proxy_) &&
      connection.Write(Serialize(request))) {
    head = response.ReadHead();
  }
  if (!head) return TransportFailure(connection, /*head_seen=*/false);
  if (retry != nullptr && head->status == 401) {
    *retry = *credential;
    return {};
  }
  return ReadBody(*head, response, connection, handler);
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

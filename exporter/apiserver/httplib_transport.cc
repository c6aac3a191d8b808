#include "apiserver/httplib_transport.h"

#include <httplib.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <exception>
#include <functional>
#include <utility>

#include "apiserver/credentials.h"
#include "base/rfc3339.h"
#include "net/connection.h"
#include "version.h"

namespace kem {
namespace {

// cpp-httplib takes lines of any length and any number of them, and matches the
// first one by std::regex, which recurses once a character.
constexpr size_t kMaxLineBytes = size_t{8} << 10U;
constexpr size_t kMaxBytesWithoutProgress = size_t{256} << 10U;

// What happened to one try, seen from the handler's side.
struct Progress {
  bool hold_401 = false;      // a 401 is to be kept from the handler
  bool unauthorized = false;  // and there was one
  uint64_t credential = 0;    // as Credentials::Prepare numbered it
  bool head_seen = false;
  bool aborted = false;  // the handler said false, or threw
  bool chunked = false;
  std::string abort_message;
  size_t received_at_last = 0;  // bytes, when the handler last heard of any
  uint32_t last_four = 0;       // of what was read byte by byte
  size_t line_bytes = 0;        // of the line being read
};

// cpp-httplib's view of a Connection.
class ConnectionStream : public httplib::Stream {
 public:
  ConnectionStream(Connection& connection, Progress& progress)
      : connection_(connection), progress_(progress) {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* bytes, size_t size) override {
    if (connection_.Received() - progress_.received_at_last >
        kMaxBytesWithoutProgress) {
      return Refuse("the answer's head is too large");
    }
    const ssize_t got = connection_.Read(bytes, size);
    // Lines are read one byte a call, chunks more.
    if (size > 1) {
      progress_.last_four = 0;
      progress_.line_bytes = 0;
    } else if (got == 1) {
      progress_.last_four =
          progress_.last_four << 8U | static_cast<uint8_t>(*bytes);
      progress_.line_bytes = *bytes == '\n' ? 0 : progress_.line_bytes + 1;
      if (progress_.line_bytes > kMaxLineBytes) {
        return Refuse("a line of the answer is too long");
      }
    }
    return got;
  }
  ssize_t write(const char* bytes, size_t size) override {
    return connection_.Write(bytes, size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  ssize_t Refuse(const char* why) {
    connection_.Fail(IoEnd::kFailed, why);
    return -1;
  }

  Connection& connection_;
  Progress& progress_;
};

// cpp-httplib's client, made to work on an open Connection. The functions
// overridden are where 0.11.4 makes a socket and where it puts a stream on it.
class CodecClient : public httplib::ClientImpl {
 public:
  // The name is not used: we connect, and we send a Host header.
  CodecClient(Connection& connection, Progress& progress)
      : ClientImpl("unused"), connection_(connection), progress_(progress) {
    set_keep_alive(false);
    set_follow_location(false);
    set_decompress(false);
    set_url_encode(false);
  }

 private:
  bool create_and_connect_socket(Socket& socket,
                                 httplib::Error& error) override {
    error = httplib::Error::Success;
    socket.sock = connection_.ReleaseFd();
    return socket.sock != INVALID_SOCKET;
  }
  bool process_socket(
      const Socket&,
      std::function<bool(httplib::Stream& stream)> callback) override {
    ConnectionStream stream(connection_, progress_);
    return callback(stream);
  }

  Connection& connection_;
  Progress& progress_;
};

// RFC 9110, 10.2.3: a count of seconds, or a date, which only the server's own
// clock can be compared with.
std::optional<std::chrono::seconds> ReadRetryAfter(
    const std::string& text, std::optional<WallTime> date) {
  int count = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, count);
  if (error == std::errc() && end == last && count >= 0) {
    return std::chrono::seconds(count);
  }
  const std::optional<WallTime> until = ParseHttpDate(text);
  if (!until || !date || *until < *date) return std::nullopt;
  return std::chrono::ceil<std::chrono::seconds>(*until - *date);
}

HttpHead ReadHead(const httplib::Response& response) {
  HttpHead head;
  head.status = response.status;
  head.date = ParseHttpDate(response.get_header_value("Date"));
  head.retry_after =
      ReadRetryAfter(response.get_header_value("Retry-After"), head.date);
  return head;
}

// Calls the handler; an exception of its own counts as false.
template <typename Call>
bool Guarded(Progress& progress, Call call) {
  try {
    progress.aborted = !call();
    if (progress.aborted) progress.abort_message = "given up by its reader";
  } catch (const std::exception& e) {
    progress.aborted = true;
    progress.abort_message = std::string("its reader failed: ") + e.what();
  } catch (...) {
    progress.aborted = true;
    progress.abort_message = "its reader failed";
  }
  return !progress.aborted;
}

// How the try ended, from all three sides: codec, connection, handler.
HttpOutcome Judge(bool codec_content, const Progress& progress,
                  const Connection& connection) {
  if (progress.aborted) {
    return {HttpEnd::kAborted, progress.abort_message};
  }
  // 0.11.4 calls a chunked body whole as well when the end of a chunk is cut
  // in two or is not there at all.
  constexpr uint32_t kTwoLineEnds = 0x0D0A0D0A;
  if (codec_content &&
      (!progress.chunked || progress.last_four == kTwoLineEnds)) {
    return {HttpEnd::kComplete, ""};
  }
  switch (connection.End()) {
    case IoEnd::kStopped:
      return {HttpEnd::kStopped, connection.Message()};
    case IoEnd::kTimeout:
      return {HttpEnd::kTimeout, connection.Message()};
    case IoEnd::kOpen:
      return {progress.head_seen ? HttpEnd::kTruncated : HttpEnd::kUnreachable,
              "the answer is not proper HTTP/1.1"};
    case IoEnd::kClosed:
    case IoEnd::kFailed:
      break;
  }
  return {progress.head_seen ? HttpEnd::kTruncated : HttpEnd::kUnreachable,
          connection.Message()};
}

// Sends one request on an open connection and feeds the handler.
HttpOutcome Exchange(httplib::Request request, Connection& connection,
                     HttpHandler& handler, Progress& progress) {
  CodecClient client(connection, progress);
  const auto on_head = [&](const httplib::Response& response) {
    if (progress.hold_401 && response.status == 401) {
      progress.unauthorized = true;
      return false;
    }
    progress.head_seen = true;
    progress.received_at_last = connection.Received();
    progress.chunked = response.has_header("Transfer-Encoding");
    return Guarded(progress,
                   [&] { return handler.OnHead(ReadHead(response)); });
  };
  const auto on_body = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
    progress.received_at_last = connection.Received();
    return Guarded(progress, [&] {
      return handler.OnBody(std::string_view(bytes, size));
    });
  };
  request.response_handler = on_head;
  request.content_receiver = on_body;
  const httplib::Result result = client.send(request);
  // 0.11.4 skips the head's callback for 204.
  if (result && !progress.head_seen && result->status == 204) on_head(*result);
  return Judge(static_cast<bool>(result), progress, connection);
}

// "host" or "host:port", the port left out when it is the scheme's own.
std::string HostHeader(const ServerUrl& server) {
  std::string host = server.Authority();
  const std::string own_port = server.tls ? ":443" : ":80";
  if (host.ends_with(own_port)) host.resize(host.size() - own_port.size());
  return host;
}

}  // namespace

struct HttplibTransport::Impl {
  Impl(ApiAccess access, FileReader read)
      : server(access.server),
        proxy(access.proxy),
        extra_headers(access.impersonation.begin(), access.impersonation.end()),
        credentials(std::move(access), std::move(read)) {}

  HttpOutcome TryOnce(const HttpRequest& request, HttpHandler& handler,
                      std::stop_token stop, uint64_t refused,
                      Progress& progress);

  const ServerUrl server;
  const std::optional<ProxyUrl> proxy;
  const httplib::Headers extra_headers;
  Credentials credentials;
};

HttpOutcome HttplibTransport::Impl::TryOnce(const HttpRequest& request,
                                            HttpHandler& handler,
                                            std::stop_token stop,
                                            uint64_t refused,
                                            Progress& progress) {
  const Result<uint64_t> credential = credentials.Prepare(refused, stop);
  if (!credential) {
    return {credential.error().code == ErrorCode::kCancelled
                ? HttpEnd::kStopped
                : HttpEnd::kUnreachable,
            credential.error().message};
  }
  progress.credential = *credential;
  httplib::Headers headers = extra_headers;
  headers.emplace("Host", HostHeader(server));
  headers.emplace("User-Agent", std::string("kube-event-metrics/") + kVersion);
  headers.emplace("Accept", request.accept);
  headers.emplace("Accept-Encoding", "identity");
  if (!request.body.empty()) {
    headers.emplace("Content-Type", request.content_type);
  }
  for (const auto& [name, value] : request.headers) {
    headers.emplace(name, value);
  }
  const std::string authorization = credentials.Authorization();
  if (!authorization.empty()) headers.emplace("Authorization", authorization);
  std::string path = server.path_prefix + request.path;
  // No tunnel: the proxy asks the server in our place.
  if (proxy && !server.tls && proxy->kind != ProxyUrl::Kind::kSocks5) {
    path = "http://" + HostHeader(server) + path;
    if (proxy->HasCredentials()) {
      headers.emplace("Proxy-Authorization", proxy->Authorization());
    }
  }
  ConnectionLimits limits;
  limits.read = request.read_timeout;
  limits.deadline = request.deadline;
  Connection connection(limits, std::move(stop));
  if (!connection.Open(server, credentials.Tls(), proxy)) {
    return Judge(false, progress, connection);
  }
  httplib::Request sent;
  sent.method = !request.method.empty() ? request.method
                : request.body.empty()  ? "GET"
                                        : "POST";
  sent.path = std::move(path);
  sent.headers = std::move(headers);
  sent.body = request.body;
  return Exchange(std::move(sent), connection, handler, progress);
}

HttplibTransport::HttplibTransport(ApiAccess access, FileReader read)
    : impl_(std::make_unique<Impl>(std::move(access), std::move(read))) {}

HttplibTransport::~HttplibTransport() = default;

HttpOutcome HttplibTransport::Send(const HttpRequest& request,
                                   HttpHandler& handler, std::stop_token stop) {
  // Goes out as it is, so that it must not end its line.
  if (std::any_of(request.path.begin(), request.path.end(),
                  [](char c) { return c <= ' ' || c >= '\x7F'; })) {
    return {HttpEnd::kUnreachable, "the request's path is not percent-encoded"};
  }
  Progress first;
  first.hold_401 = true;
  HttpOutcome outcome = impl_->TryOnce(request, handler, stop, 0, first);
  if (!first.unauthorized) return outcome;
  // The token may have been replaced since it was read; a plugin gives another.
  Progress second;
  return impl_->TryOnce(request, handler, std::move(stop), first.credential,
                        second);
}

}  // namespace kem

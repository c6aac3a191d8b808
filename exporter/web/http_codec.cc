#include "web/http_codec.h"

#include <fcntl.h>
#include <httplib.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace kem {
namespace {

constexpr char kReloadPath[] = "/-/reload";
constexpr char kOtherPaths[] = "other";

// What the kernel may hold for a client that does not read; it doubles it.
// By default it grows to megabytes, which count as ours in a container.
constexpr int kSendBufferBytes = 128 << 10;

// httplib's own default is SO_REUSEPORT, by which a second exporter would
// silently take half of the scrapes. Accepted sockets inherit the others.
void SetSocketOptions(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes,
               sizeof(kSendBufferBytes));
}

// httplib takes routes as regular expressions.
std::string AsPattern(const std::string& path) {
  std::string pattern;
  for (const char c : path) {
    if (c == '.') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

void Answer(const Health& health, int failed, httplib::Response& response) {
  response.status = health.ok ? 200 : failed;
  response.set_content(health.text, "text/plain; charset=utf-8");
}

// A request and its answer in memory, as httplib sees a connection.
class MemoryStream : public httplib::Stream {
 public:
  MemoryStream(std::string_view request, std::string& answer)
      : request_(request), answer_(answer) {}

  bool is_readable() const override { return !request_.empty(); }
  bool is_writable() const override { return true; }
  ssize_t read(char* bytes, size_t size) override {
    const size_t taken = std::min(size, request_.size());
    std::memcpy(bytes, request_.data(), taken);
    request_.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* bytes, size_t size) override {
    answer_.append(bytes, size);
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return INVALID_SOCKET; }

 private:
  std::string_view request_;
  std::string& answer_;
};

// What httplib keeps to itself.
class CodecServer : public httplib::Server {
 public:
  void Process(httplib::Stream& stream, bool close) {
    bool closed = false;
    process_request(stream, close, closed, nullptr);
  }
  socket_t TakeSocket() { return svr_sock_.exchange(INVALID_SOCKET); }
};

std::string WithPort(const std::string& host, int port) {
  const bool six = host.find(':') != std::string::npos;
  return (six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// A browser that was told by another site's page to send this. Programs send
// neither header; Go's CrossOriginProtection judges alike.
bool IsCrossSite(const httplib::Request& request) {
  const std::string site = request.get_header_value("Sec-Fetch-Site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  const std::string origin = request.get_header_value("Origin");
  const size_t host = origin.find("://");
  return !origin.empty() &&
         (host == std::string::npos ||
          origin.substr(host + 3) != request.get_header_value("Host"));
}

void AnswerPlain(int status, const char* text, httplib::Response& response) {
  response.status = status;
  response.set_content(text, "text/plain; charset=utf-8");
}

// False when the request may go on to its handler.
bool AnswerUnadmitted(Admission admission, httplib::Response& response) {
  switch (admission) {
    case Admission::kAdmitted:
    case Admission::kPending:
      return false;
    case Admission::kUnauthorized:
      response.set_header("WWW-Authenticate", "Basic");
      AnswerPlain(401, "Unauthorized\n", response);
      return true;
    case Admission::kTooMany:
      AnswerPlain(429, "Too many requests\n", response);
      return true;
    case Admission::kBusy:
      response.set_header("Retry-After", "1");
      AnswerPlain(503, "Too many logins at once\n", response);
      return true;
  }
  return false;
}

// A whole answer of our own, for what httplib must not see.
std::string PlainAnswer(const char* status, const std::string& text) {
  return std::string("HTTP/1.1 ") + status +
         "\r\nConnection: close\r\nContent-Type: text/plain; "
         "charset=utf-8\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

// A header that the web configuration may have set otherwise.
void SetDefault(const char* name, const char* value,
                httplib::Response& response) {
  if (!response.has_header(name)) response.set_header(name, value);
}

// Compressed here for the reason for which scrapes are; a browser may even have
// httplib take brotli's slowest level.
void AnswerPage(std::string html, const httplib::Request& request,
                httplib::Response& response) {
  if (WantsGzip(request.get_header_value("Accept-Encoding"))) {
    std::string packed;
    GzipStream().Append(html, true, packed);
    html = std::move(packed);
    response.set_header("Content-Encoding", "gzip");
  }
  const_cast<httplib::Request&>(request).headers.erase("Accept-Encoding");
  response.set_header("Vary", "Accept-Encoding");
  response.set_header("Cache-Control", "no-store");
  // The page brings the rest of its policy along; this part only a header may
  // say.
  SetDefault("Content-Security-Policy", "frame-ancestors 'none'", response);
  SetDefault("X-Content-Type-Options", "nosniff", response);
  response.set_content(html, "text/html; charset=utf-8");
}

}  // namespace

struct HttpCodec::Impl {
  CodecServer server;
  HttpStats& stats;
  // Of the request being handled.
  bool chunks = false;
  Admission admission = Admission::kAdmitted;
  std::unique_ptr<ScrapeBody> body;

  explicit Impl(HttpStats& counts) : stats(counts) {}
  void Route(const std::string& telemetry_path, HttpContent content);
  void StartScrape(const HttpContent& content, const httplib::Request& request,
                   httplib::Response& response);
};

void HttpCodec::Impl::StartScrape(const HttpContent& content,
                                  const httplib::Request& request,
                                  httplib::Response& response) {
  const bool gzip = WantsGzip(request.get_header_value("Accept-Encoding"));
  // Or httplib would compress it once more. The request is its own and not
  // const.
  const_cast<httplib::Request&>(request).headers.erase("Accept-Encoding");
  response.set_header("Vary", "Accept, Accept-Encoding");
  if (gzip) response.set_header("Content-Encoding", "gzip");
  Scrape scrape = content.scrape(request.get_header_value("Accept"));
  // For httplib a body that breaks off at once: it writes the head only.
  const auto nothing = [](size_t, httplib::DataSink&) { return false; };
  if (chunks) {
    response.set_chunked_content_provider(scrape.content_type, nothing);
  } else {
    response.set_content_provider(scrape.content_type, nothing);
  }
  body = std::make_unique<ScrapeBody>(std::move(scrape.next), gzip, chunks);
}

void HttpCodec::Impl::Route(const std::string& telemetry_path,
                            HttpContent content) {
  const auto shared = std::make_shared<const HttpContent>(std::move(content));
  using httplib::Request;
  using httplib::Response;
  server.set_pre_routing_handler([this](const Request&, Response& response) {
    return AnswerUnadmitted(admission, response)
               ? httplib::Server::HandlerResponse::Handled
               : httplib::Server::HandlerResponse::Unhandled;
  });
  server.Get("/", [shared](const Request& request, Response& response) {
    AnswerPage(shared->page(), request, response);
  });
  server.Get("/livez", [shared](const Request&, Response& response) {
    Answer(shared->livez(), 503, response);
  });
  server.Get("/readyz", [shared](const Request&, Response& response) {
    Answer(shared->readyz(), 503, response);
  });
  if (shared->reload) {
    server.Post(
        kReloadPath, [shared](const Request& request, Response& response) {
          if (IsCrossSite(request)) {
            AnswerPlain(403, "Not from another site's page\n", response);
          } else {
            const Result<std::string> reloaded = shared->reload();
            const bool ok = reloaded.has_value();
            Answer({ok, (ok ? *reloaded : reloaded.error().message) + "\n"},
                   500, response);
          }
        });
  }
  server.Get(AsPattern(telemetry_path),
             [this, shared](const Request& request, Response& response) {
               StartScrape(*shared, request, response);
             });
  server.set_logger(
      [this, telemetry_path](const Request& request, const Response& reply) {
        const std::string& path = request.path;
        const bool known = path == telemetry_path || path == "/" ||
                           path == "/livez" || path == "/readyz" ||
                           path == kReloadPath;
        stats.Count(known ? path : kOtherPaths, reply.status);
      });
}

HttpCodec::HttpCodec(const std::string& telemetry_path, HttpContent content,
                     HttpStats& stats)
    : impl_(std::make_unique<Impl>(stats)) {
  impl_->Route(telemetry_path, std::move(content));
}

HttpCodec::~HttpCodec() = default;

Result<HttpCodec::Bound> HttpCodec::Bind(const ListenAddress& address) {
  CodecServer& server = impl_->server;
  server.set_socket_options(SetSocketOptions);
  ListenAddress wanted = address;
  const auto bind = [&] {
    if (wanted.port == 0) return server.bind_to_any_port(wanted.host);
    return server.bind_to_port(wanted.host, wanted.port) ? wanted.port : -1;
  };
  int port = -1;
  if (wanted.host.empty()) {
    // "::" takes IPv4 too; without IPv6 in the kernel there is only IPv4.
    wanted.host = "::";
    port = bind();
    if (port < 0) wanted.host = "0.0.0.0";
  }
  if (port < 0) port = bind();
  if (port < 0) {
    return Error{ErrorCode::kInternal,
                 "cannot listen on " + WithPort(wanted.host, wanted.port) +
                     ": the port is taken, or the address is not of this "
                     "machine; give another --web.listen-address"};
  }
  Bound bound{UniqueFd(server.TakeSocket()), WithPort(wanted.host, port)};
  // httplib lets 5 wait.
  ::listen(bound.fd.get(), SOMAXCONN);
  ::fcntl(bound.fd.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(bound.fd.get(), F_SETFD, FD_CLOEXEC);
  return bound;
}

HttpAnswer HttpCodec::Handle(const RequestHead& head, Admission admission,
                             const WebGate::Headers& headers) {
  HttpAnswer answer;
  impl_->admission = admission;
  answer.close = !head.keep_alive;
  impl_->chunks = head.chunks;
  impl_->body.reset();
  try {
    impl_->server.set_default_headers({headers.begin(), headers.end()});
    MemoryStream stream(head.text, answer.bytes);
    impl_->server.Process(stream, answer.close);
  } catch (const std::exception&) {
    // Out of memory, as anywhere; what is half-written is no answer.
    answer.bytes.clear();
    answer.close = true;
    return answer;
  }
  if (!head.head_only) answer.body = std::move(impl_->body);
  impl_->body.reset();
  return answer;
}

HttpAnswer HttpCodec::Refuse(HeadState why) {
  HttpAnswer answer;
  answer.close = true;
  switch (why) {
    case HeadState::kIncomplete:
    case HeadState::kComplete:
      break;
    case HeadState::kMalformed:
      impl_->stats.Count(kOtherPaths, 400);
      answer.bytes = PlainAnswer("400 Bad Request", "This is not HTTP/1.1.\n");
      break;
    case HeadState::kTooLarge:
      impl_->stats.Count(kOtherPaths, 431);
      answer.bytes = PlainAnswer("431 Request Header Fields Too Large",
                                 "Send less than 8 KiB a line, 16 KiB in "
                                 "all.\n");
      break;
    case HeadState::kHasBody:
      impl_->stats.Count(kOtherPaths, 413);
      answer.bytes =
          PlainAnswer("413 Content Too Large", "Send no request body.\n");
      break;
  }
  return answer;
}

}  // namespace kem

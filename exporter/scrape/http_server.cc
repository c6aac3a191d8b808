#include "scrape/http_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <thread>

#include "scrape/gzip_stream.h"

namespace kem {
namespace {

constexpr size_t kThreads = 8;
constexpr char kReloadPath[] = "/-/reload";

// httplib's own default is SO_REUSEPORT, by which a second exporter would
// silently take half of the scrapes.
void SetSocketOptions(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
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

// A scrape as httplib asks for it: piece by piece. Copied by httplib, so what
// it works on is shared.
class ScrapeBody {
 public:
  ScrapeBody(std::function<bool(std::string&)> next, bool gzip)
      : next_(std::move(next)),
        gzip_(gzip ? std::make_shared<GzipStream>() : nullptr) {}

  bool operator()(size_t, httplib::DataSink& sink) {
    plain_.clear();
    const bool more = next_(plain_);
    std::string* piece = &plain_;
    if (gzip_) {
      packed_.clear();
      gzip_->Append(plain_, !more, packed_);
      piece = &packed_;
    }
    // An empty chunk would mean the end.
    if (!piece->empty() && !sink.write(piece->data(), piece->size())) {
      return false;
    }
    if (!more) sink.done();
    return true;
  }

 private:
  std::function<bool(std::string&)> next_;
  std::shared_ptr<GzipStream> gzip_;
  std::string plain_;
  std::string packed_;
};

void Answer(const Health& health, int failed, httplib::Response& response) {
  response.status = health.ok ? 200 : failed;
  response.set_content(health.text, "text/plain; charset=utf-8");
}

}  // namespace

struct HttpServer::Impl {
  httplib::Server server;
  std::string address;
  std::jthread thread;

  void Route(const std::string& telemetry_path, HttpContent content,
             HttpStats& stats);
  Result<void> Bind(ListenAddress wanted);
};

void HttpServer::Impl::Route(const std::string& telemetry_path,
                             HttpContent content, HttpStats& stats) {
  server.Get("/", [page = std::move(content.page)](
                      const httplib::Request&, httplib::Response& response) {
    response.set_content(page(), "text/html; charset=utf-8");
  });
  server.Get("/livez",
             [livez = std::move(content.livez)](const httplib::Request&,
                                                httplib::Response& response) {
               Answer(livez(), 503, response);
             });
  server.Get("/readyz",
             [readyz = std::move(content.readyz)](const httplib::Request&,
                                                  httplib::Response& response) {
               Answer(readyz(), 503, response);
             });
  if (content.reload) {
    server.Post(kReloadPath,
                [reload = std::move(content.reload)](
                    const httplib::Request&, httplib::Response& response) {
                  Answer(reload(), 500, response);
                });
  }
  server.Get(AsPattern(telemetry_path), [scrape = std::move(content.scrape)](
                                            const httplib::Request& request,
                                            httplib::Response& response) {
    const bool gzip = WantsGzip(request.get_header_value("Accept-Encoding"));
    // Or httplib would compress it once more. The request is
    // its own and not const.
    const_cast<httplib::Request&>(request).headers.erase("Accept-Encoding");
    response.set_header("Vary", "Accept, Accept-Encoding");
    if (gzip) response.set_header("Content-Encoding", "gzip");
    Scrape body = scrape(request.get_header_value("Accept"));
    response.set_chunked_content_provider(
        body.content_type, ScrapeBody(std::move(body.next), gzip));
  });
  server.set_logger([&stats, telemetry_path](const httplib::Request& request,
                                             const httplib::Response& reply) {
    const std::string& path = request.path;
    const bool known = path == telemetry_path || path == "/" ||
                       path == "/livez" || path == "/readyz" ||
                       path == kReloadPath;
    stats.Count(known ? path : "other", reply.status);
  });
}

Result<void> HttpServer::Impl::Bind(ListenAddress wanted) {
  const auto bind = [&] {
    if (wanted.port == 0) return server.bind_to_any_port(wanted.host);
    return server.bind_to_port(wanted.host, wanted.port) ? wanted.port : -1;
  };
  const auto text = [&](int port) {
    const bool six = wanted.host.find(':') != std::string::npos;
    return (six ? "[" + wanted.host + "]" : wanted.host) + ":" +
           std::to_string(port);
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
                 "cannot listen on " + text(wanted.port) +
                     ": the port is taken, or the address is not of this "
                     "machine; give another --web.listen-address"};
  }
  address = text(port);
  return {};
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(
    const ListenAddress& address, const std::string& telemetry_path,
    HttpContent content, HttpStats& stats) {
  auto impl = std::make_unique<Impl>();
  impl->server.new_task_queue = [] {
    return new httplib::ThreadPool(kThreads);
  };
  impl->server.set_socket_options(SetSocketOptions);
  impl->server.set_keep_alive_timeout(2);
  impl->server.set_read_timeout(5, 0);
  impl->server.set_write_timeout(5, 0);
  impl->server.set_payload_max_length(64 << 10);
  impl->Route(telemetry_path, std::move(content), stats);
  if (Result<void> bound = impl->Bind(address); !bound) return bound.error();
  impl->thread =
      std::jthread([server = &impl->server] { server->listen_after_bind(); });
  // stop() before the loop runs would be forgotten.
  while (!impl->server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() { impl_->server.stop(); }

const std::string& HttpServer::address() const { return impl_->address; }

}  // namespace kem

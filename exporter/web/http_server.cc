#include "web/http_server.h"

#include <thread>
#include <utility>

#include "web/http_loop.h"
#include "web/http_router.h"
#include "web/listener.h"
#include "web/web_gate.h"

namespace kem {

struct HttpServer::Impl {
  Impl(const HttpServerOptions& options, HttpContent content, HttpStats& stats,
       std::unique_ptr<WebSettingsFile> settings)
      : router(options.telemetry_path, std::move(content), stats),
        gate(std::move(settings), options.limits.reread) {}

  HttpRouter router;
  WebGate gate;
  std::string address;
  std::unique_ptr<HttpLoop> loop;
  std::jthread thread;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpServerOptions& options, HttpContent content, HttpStats& stats) {
  std::unique_ptr<WebSettingsFile> settings;
  if (!options.web_config_file.empty()) {
    auto opened = WebSettingsFile::Open(options.web_config_file);
    if (!opened) return opened.error();
    settings = std::move(*opened);
  }
  auto impl = std::make_unique<Impl>(options, std::move(content), stats,
                                     std::move(settings));
  Result<Listener> listener = Listen(options.address);
  if (!listener) return listener.error();
  impl->address = std::move(listener->address);
  impl->loop = std::make_unique<HttpLoop>(std::move(listener->fd), impl->router,
                                          impl->gate, options.limits);
  impl->thread = std::jthread([loop = impl->loop.get()](std::stop_token stop) {
    loop->Run(std::move(stop));
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

const std::string& HttpServer::address() const { return impl_->address; }

}  // namespace kem

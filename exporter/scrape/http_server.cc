#include "scrape/http_server.h"

#include <thread>
#include <utility>

#include "scrape/http_codec.h"
#include "scrape/http_loop.h"

namespace kem {

struct HttpServer::Impl {
  Impl(const HttpServerOptions& options, HttpContent content, HttpStats& stats)
      : codec(options.telemetry_path, std::move(content), stats) {}

  HttpCodec codec;
  std::string address;
  std::unique_ptr<HttpLoop> loop;
  std::jthread thread;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(
    const HttpServerOptions& options, HttpContent content, HttpStats& stats) {
  auto impl = std::make_unique<Impl>(options, std::move(content), stats);
  Result<HttpCodec::Bound> bound = impl->codec.Bind(options.address);
  if (!bound) return bound.error();
  impl->address = bound->address;
  impl->loop = std::make_unique<HttpLoop>(std::move(bound->fd), impl->codec,
                                          options.limits);
  impl->thread = std::jthread([loop = impl->loop.get()](std::stop_token stop) {
    loop->Run(std::move(stop));
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

const std::string& HttpServer::address() const { return impl_->address; }

}  // namespace kem

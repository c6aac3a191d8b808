// The exporter's own HTTP side: /metrics, /livez, /readyz, the page at / and
// POST /-/reload. Used by the app; what it serves comes from the functions it
// is given. HTTP/1.1 on one thread (http_loop.h), where slow, many and hostile
// clients cost memory within HttpLimits and never a scrape; TLS and
// authentication as a web configuration says (web_gate.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/health.h"
#include "base/result.h"
#include "config/listen_address.h"
#include "web/http_stats.h"
#include "web/request_head.h"

namespace kem {

// One scrape under way.
struct Scrape {
  std::string content_type;
  // Appends the next piece of the exposition to an empty string; false with
  // the last one.
  std::function<bool(std::string&)> next;
};

// Each is called by the server's thread, and all clients wait meanwhile.
struct HttpContent {
  // Starts a scrape in the format that suits an Accept header's value best.
  std::function<Scrape(const std::string& accept)> scrape;
  std::function<Health()> livez;
  std::function<Health()> readyz;
  // HTML, whole.
  std::function<std::string()> page;
  // The value, or with 500 the error's message, is the answer's one line. Empty
  // when there is nothing to reload.
  std::function<Result<std::string>()> reload;
};

// What all clients together may take of the machine; tests take less.
struct HttpLimits {
  HeadLimits request;
  // Open at once. An idle one is about 1 KiB, in TLS some 20 KiB, and 70 KiB in
  // its handshake.
  size_t connections = 256;
  // Under way at once, each with up to half a megabyte.
  size_t answers = 16;
  // From connecting, or from a request's first byte, to the end of its head.
  std::chrono::milliseconds head{10000};
  // For a whole answer, the client's reading included.
  std::chrono::milliseconds answer{60000};
  // Between two requests; longer than usual scrape intervals.
  std::chrono::milliseconds idle{150000};
  // For a client to see why it was refused.
  std::chrono::milliseconds drain{1000};
  // Between two looks at the files of the web configuration.
  std::chrono::milliseconds look{1000};
  // For answers under way when the server ends.
  std::chrono::milliseconds stop{2000};
};

struct HttpServerOptions {
  ListenAddress address;
  // Of letters, digits and "/._-", and none of the other paths.
  std::string telemetry_path = "/metrics";
  std::string web_config_file;  // empty: plain HTTP, open to all
  HttpLimits limits;
};

class HttpServer {
 public:
  // Binds the address and serves from a thread of its own until destroyed.
  // `stats` must outlive it. kInternal when it cannot be bound, kInvalidConfig
  // for the web configuration.
  static Result<std::unique_ptr<HttpServer>> Start(
      const HttpServerOptions& options, HttpContent content, HttpStats& stats);
  // Stops listening and waits for answers under way, limits.stop at most.
  ~HttpServer();

  // The address it listens on, with the real port: "127.0.0.1:43210".
  const std::string& address() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kem

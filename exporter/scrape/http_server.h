// The exporter's own HTTP side: /metrics, /livez, /readyz, the page at / and
// POST /-/reload. Used by the app; what it serves comes from the functions it
// is given. A slow client costs one thread of the pool and never holds a lock.
// No TLS and no authentication of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "scrape/listen_address.h"
#include "scrape/own_metrics.h"

namespace kem {

// One answer of a health endpoint.
struct Health {
  bool ok = false;
  // Why not, one line each; shown as the body.
  std::string text;
};

// One scrape under way.
struct Scrape {
  std::string content_type;
  // Appends the next piece of the exposition to an empty string; false with
  // the last one.
  std::function<bool(std::string&)> next;
};

// Each is called by any of the server's threads.
struct HttpContent {
  // Starts a scrape in the format that suits an Accept header's value best.
  std::function<Scrape(const std::string& accept)> scrape;
  std::function<Health()> livez;
  std::function<Health()> readyz;
  // HTML, whole.
  std::function<std::string()> page;
  // Not ok is answered with 500. Without it there is nothing to reload.
  std::function<Health()> reload;
};

class HttpServer {
 public:
  // Binds `address` and serves from threads of its own until destroyed.
  // `telemetry_path` is of letters, digits and "/._-" and none of the other
  // paths. `stats` must outlive it. kInternal when it cannot be bound.
  static Result<std::unique_ptr<HttpServer>> Start(
      const ListenAddress& address, const std::string& telemetry_path,
      HttpContent content, HttpStats& stats);
  // Stops listening and waits for answers under way, a few seconds at most.
  ~HttpServer();

  // The address it listens on, with the real port: "127.0.0.1:43210".
  const std::string& address() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kem

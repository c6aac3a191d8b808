// The exporter's HTTP server: metrics, /livez, /readyz, POST /-/reload, and the
// routes that take longer, such as pages. Used by the app and offline mode,
// which give it functions for the content. HTTP/1.1 on one thread
// (http_loop.h), and another for the routes (query_thread.h): slow, many and
// hostile clients take memory within HttpLimits and stop no scrape. TLS and
// authentication follow the web configuration (web_gate.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/health.h"
#include "base/result.h"
#include "net/server_url.h"
#include "web/http_stats.h"
#include "web/request_head.h"

namespace kem {

// One scrape in progress.
struct Scrape {
  std::string content_type;
  // Appends the next piece of the exposition to an empty string; returns false
  // with the last one.
  std::function<bool(std::string&)> next;
};

// A GET or HEAD request for a route.
struct RouteRequest {
  // Below the route's path, decoded: "Node" and "n1" of /objects/Node/n1. None
  // is empty, "." or "..", has a slash or a control character, or more than
  // 1024 bytes. Valid UTF-8.
  std::vector<std::string> segments;
  std::string query;   // what follows the '?', not decoded
  std::string accept;  // the Accept header's value
};

struct RouteAnswer {
  int status = 200;
  std::string content_type;
  std::string body;
};

// A path whose answers take longer than a moment.
struct HttpRoute {
  // "/api/v1/events"; with a slash at its end, as "/objects/", all below it.
  // Also the handler's name in metrics.
  std::string path;
  // Called by the thread of the routes, one call at a time: a scrape does not
  // wait for it, other routes do. Returns soon once `stop` is requested: its
  // client has gone, and the answer is dropped.
  std::function<RouteAnswer(const RouteRequest&, const std::stop_token& stop)>
      answer;
};

// All but the routes are called by the server's thread: all clients wait
// meanwhile.
struct HttpContent {
  // Starts a scrape in the best format for an Accept header's value.
  std::function<Scrape(const std::string& accept)> scrape;
  // Not ok: no scrape is possible yet, and the text says why. Null: always ok.
  std::function<Health()> can_scrape;
  std::function<Health()> livez;
  std::function<Health()> readyz;
  std::vector<HttpRoute> routes;
  // The value, or with 500 the error's message, is the answer's one line. Null
  // when there is nothing to reload: 404.
  std::function<Result<std::string>()> reload;
};

// Limits of all clients together. Tests lower them.
struct HttpLimits {
  HeadLimits request;
  // Open at once. An idle one takes about 1 KiB, with TLS 20 KiB, and 70 KiB
  // during its handshake.
  size_t connections = 256;
  // Scrapes in progress at once, up to 0.5 MB each. More wait for their turn.
  size_t answers = 16;
  // Requests for routes whose answers are made, one at a time, or sent. Each
  // holds its whole answer, of the API 6 MiB at most, and about as much again
  // while it is made. More wait for their turn,
  size_t queries = 4;
  // and past these they are refused.
  size_t queries_waiting = 64;
  // From the connection, or a request's first byte, to the end of its head.
  std::chrono::milliseconds head{10000};
  // That an answer waits for its client to read, in all.
  std::chrono::milliseconds answer{60000};
  // The same while others wait for their turn, and more for a client that reads
  // 256 KiB a second.
  std::chrono::milliseconds stall{1000};
  // For a login or a turn. Scrapers give up earlier.
  std::chrono::milliseconds wait{30000};
  // Between two requests; longer than common scrape intervals.
  std::chrono::milliseconds idle{150000};
  // For a client to read a refusal.
  std::chrono::milliseconds drain{1000};
  // Between two reads of the web configuration.
  std::chrono::milliseconds reread{1000};
  // For answers in progress when the server stops.
  std::chrono::milliseconds stop{2000};
};

struct HttpServerOptions {
  ListenAddress address;
  // Letters, digits and "/._-", and not one of the other paths.
  std::string telemetry_path = "/metrics";
  std::string web_config_file;  // empty: plain HTTP without authentication
  HttpLimits limits;
};

class HttpLoop;

class HttpServer {
 public:
  // Binds the address and serves on a thread of its own until destroyed.
  // `stats` must outlive it. The error is kInternal when binding fails,
  // kInvalidConfig for the web configuration.
  static Result<std::unique_ptr<HttpServer>> Start(
      const HttpServerOptions& options, HttpContent content, HttpStats& stats);
  // Stops listening and waits for answers in progress, also those that routes
  // make, limits.stop at most.
  ~HttpServer();

  // The address it listens on, with the real port: "127.0.0.1:43210".
  const std::string& address() const { return address_; }

 private:
  HttpServer(std::string address, std::unique_ptr<HttpLoop> loop);

  const std::string address_;
  const std::unique_ptr<HttpLoop> loop_;
  const std::jthread thread_;
};

}  // namespace kem

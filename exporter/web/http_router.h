// The exporter's paths: maps one request to one answer, with status, headers
// and body. Used by ServerConnection on HttpLoop's thread, and on that of
// QueryThread for HttpRoutes. Reads and writes no socket. A scrape's body is
// streamed, so the answer holds its generator.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "base/gzip_stream.h"
#include "web/http_server.h"
#include "web/request_head.h"
#include "web/web_gate.h"

namespace kem {

// The body of a scrape, compressed and framed piece by piece while the client
// reads it, so that a scrape is never in memory as a whole. Used by one thread.
class ScrapeBody {
 public:
  // Without `chunks` the end of the connection ends the body.
  ScrapeBody(std::function<bool(std::string&)> next, bool gzip, bool chunks);

  // Appends the next piece to `out`. False with the last piece, which alone may
  // be empty.
  bool Next(std::string& out);

 private:
  std::function<bool(std::string&)> next_;
  const std::unique_ptr<GzipStream> gzip_;
  const bool chunks_;
  std::string plain_;
  std::string packed_;
};

struct HttpAnswer {
  std::string bytes;
  // Follows `bytes`; null when there is nothing more.
  std::unique_ptr<ScrapeBody> body;
  bool close = false;
  // For HttpStats.
  std::string handler;
  int status = 200;
};

// Thread-safe if the content's functions are.
class HttpRouter {
 public:
  // See HttpServer for the arguments.
  HttpRouter(std::string telemetry_path, HttpContent content)
      : telemetry_path_(std::move(telemetry_path)),
        content_(std::move(content)) {}

  // Whether the answer to this request is a scrape's, which needs much memory.
  bool IsScrape(const RequestHead& head) const {
    return head.method == "GET" && head.path == telemetry_path_;
  }
  // Whether a route answers this request, once it is admitted.
  bool IsQuery(const RequestHead& head) const;
  // The answer of the route; IsQuery(head) must be true. Adds `headers`.
  HttpAnswer Query(const RequestHead& head, const WebGate::Headers& headers,
                   const std::stop_token& stop) const;
  // All other answers. `head` is complete, `admission` not kPending, and not
  // kAdmitted if IsQuery(head). Adds `headers` to the answer.
  HttpAnswer Handle(const RequestHead& head, Admission admission,
                    const WebGate::Headers& headers) const;
  // For a request without a valid head, or with a body; closes.
  HttpAnswer Refuse(HeadState why) const;

 private:
  struct Response;

  // Null when no route has the path.
  const HttpRoute* FindRoute(const std::string& path) const;
  std::string HandlerName(const std::string& path) const;
  // What `make` returns as an answer, or 500 when there is no memory for it.
  template <typename Make>
  HttpAnswer Finish(const RequestHead& head, const WebGate::Headers& headers,
                    Make make) const;
  Response Admit(const RequestHead& head, Admission admission) const;
  Response Route(const RequestHead& head) const;
  Response StartScrape(const RequestHead& head) const;
  bool IsReadable(const std::string& path) const;

  const std::string telemetry_path_;
  const HttpContent content_;
};

}  // namespace kem

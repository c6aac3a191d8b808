// The exporter's routes: maps one request to one answer, with status, headers
// and body. Used by ServerConnection on HttpLoop's thread. Reads and writes no
// socket. A scrape's body is streamed, so the answer holds its generator.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "web/http_server.h"
#include "web/request_head.h"
#include "web/scrape_body.h"
#include "web/web_gate.h"

namespace kem {

struct HttpAnswer {
  std::string bytes;
  // Follows `bytes`; null when there is nothing more.
  std::unique_ptr<ScrapeBody> body;
  bool close = false;
};

// Not thread-safe.
class HttpRouter {
 public:
  // `stats` must outlive it. See HttpServer for the arguments.
  HttpRouter(std::string telemetry_path, HttpContent content, HttpStats& stats)
      : telemetry_path_(std::move(telemetry_path)),
        content_(std::move(content)),
        stats_(stats) {}

  // `head` is complete, `admission` not kPending. Adds `headers` to the answer.
  HttpAnswer Handle(const RequestHead& head, Admission admission,
                    const WebGate::Headers& headers);
  // For a request that is malformed, too large or has a body; closes.
  HttpAnswer Refuse(HeadState why);

 private:
  struct Response;

  Response Admit(const RequestHead& head, Admission admission);
  Response Route(const RequestHead& head);
  Response StartScrape(const RequestHead& head);
  Response Page(const RequestHead& head);
  void Count(const std::string& path, int status);

  const std::string telemetry_path_;
  const HttpContent content_;
  HttpStats& stats_;
};

}  // namespace kem

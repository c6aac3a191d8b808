// What we answer: routes and response heads, by cpp-httplib, which is used as a
// codec on memory only. Used by HttpLoop's connections on its one thread; reads
// and writes no socket but to bind the listening one. A scrape's body is not in
// the answer: it is taken piece by piece while the client takes it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/unique_fd.h"
#include "web/http_server.h"
#include "web/request_head.h"
#include "web/scrape_body.h"
#include "web/web_gate.h"

namespace kem {

struct HttpAnswer {
  std::string bytes;
  // Null when `bytes` is all.
  std::unique_ptr<ScrapeBody> body;
  bool close = false;
};

// Not thread-safe.
class HttpCodec {
 public:
  // `stats` must outlive it. See HttpServer for the arguments.
  HttpCodec(const std::string& telemetry_path, HttpContent content,
            HttpStats& stats);
  ~HttpCodec();

  // A listening socket, non-blocking, and its address as "127.0.0.1:43210".
  struct Bound {
    UniqueFd fd;
    std::string address;
  };
  Result<Bound> Bind(const ListenAddress& address);

  // `head` is complete, `admission` not kPending. `headers` go out with it.
  HttpAnswer Handle(const RequestHead& head, Admission admission,
                    const WebGate::Headers& headers);
  // To what is not a request that we read; closes.
  HttpAnswer Refuse(HeadState why);

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace kem

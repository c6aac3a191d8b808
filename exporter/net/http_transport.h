// Sends HTTP requests and streams the responses: the interface between the
// network and the code that talks to the API server or a collector, and what
// tests replace by a fake. ApiTransport implements it. An HTTP error status
// is a response; only a failed exchange is an error. Redirects are never
// followed, because they would leak the bearer token.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace kem {

struct HttpRequest {
  // Path and query: "/api/v1/events?limit=500". The transport prepends the path
  // prefix of the server's URL.
  std::string path;
  std::string accept = "application/json";
  std::string body = {};
  std::string method = {};  // empty: POST with a body, else GET
  std::string content_type = "application/json";
  // Valid header fields, in addition to those of the transport.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // The longest silence while reading, and the limit for the whole exchange. A
  // watch sets both to its timeoutSeconds + 15 s.
  std::chrono::milliseconds read_timeout{65000};
  std::chrono::milliseconds deadline{65000};
};

struct HttpHead {
  int status = 0;
  // Retry-After: its seconds, or its date minus the Date header's.
  std::optional<std::chrono::seconds> retry_after;
  // The Date header: the API server's clock, the only one that is compared with
  // an Event's creationTimestamp.
  std::optional<WallTime> date;
};

// Receives one response, on the thread that called Send.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Called once, before any byte of the body. False ends the request.
  virtual bool OnHead(const HttpHead& head) = 0;
  // Called for each piece of the body as it arrives, already de-chunked.
  // `bytes` is valid only during the call. False ends the request.
  virtual bool OnBody(std::string_view bytes) = 0;
};

// Keeps the head and a small body, for requests that read or write single
// objects. Does not judge the status.
class WholeAnswer : public HttpHandler {
 public:
  static constexpr size_t kUsualLimit = size_t{64} << 10;

  // Bytes of the body after `limit` are read and dropped.
  explicit WholeAnswer(size_t limit = kUsualLimit) : limit_(limit) {}

  bool OnHead(const HttpHead& head) override {
    head_ = head;
    return true;
  }
  bool OnBody(std::string_view bytes) override {
    body_ += bytes.substr(0, limit_ - std::min(limit_, body_.size()));
    return true;
  }
  // Status 0 when no head arrived.
  const HttpHead& head() const { return head_; }
  const std::string& body() const { return body_; }

 private:
  const size_t limit_;
  HttpHead head_;
  std::string body_;
};

enum class HttpEnd {
  kComplete,     // the response arrived whole
  kTruncated,    // the connection was lost after the head
  kTimeout,      // read_timeout or deadline passed
  kUnreachable,  // no connection, or lost before the head; TLS failures too
  kAborted,      // the handler returned false
  kStopped,      // a stop was requested
};

struct HttpOutcome {
  HttpEnd end = HttpEnd::kUnreachable;
  // The reason, as a clause for a person; empty for kComplete.
  std::string message;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // Sends one request and passes the response to `handler`. Blocks; returns
  // soon after `stop` is requested. Accepts no content encoding: an API server
  // gzips a watch as one member per flush, which decoders truncate. After a 401
  // it reads the credentials again and retries once before it calls `handler`.
  // Thread-safe, but not a transport that keeps its connection.
  virtual HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                           std::stop_token stop) = 0;
};

}  // namespace kem

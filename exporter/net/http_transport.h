// How a request reaches the API server and its bytes come back. The seam
// between us and the network: the reflector, discovery and the tests' fakes
// speak this; HttplibTransport is the real one. It moves bytes and HTTP heads
// and has no opinion about them: an HTTP error status is an answer, only a
// failure to talk is an error. It never follows redirects, which would carry
// the bearer token elsewhere.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace kem {

struct HttpRequest {
  // Path and query, such as "/api/v1/events?limit=500". A path prefix of the
  // kubeconfig's server URL is put before it by the transport.
  std::string path;
  std::string accept = "application/json";
  // A body makes it a POST, unless `method` says another.
  std::string body = {};
  std::string method = {};
  std::string content_type = "application/json";
  // Valid header fields, beside those of the transport.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // The longest silence to bear while reading, and the longest time for the
  // whole answer. A watch sets both to its timeoutSeconds + 15 s.
  std::chrono::milliseconds read_timeout{65000};
  std::chrono::milliseconds deadline{65000};
};

struct HttpHead {
  int status = 0;
  // Of a Retry-After header: its seconds, or how far its date is from Date.
  std::optional<std::chrono::seconds> retry_after;
  // The Date header: the API server's clock, the only one ever compared with
  // an Event's creationTimestamp.
  std::optional<WallTime> date;
};

// Receives one answer, on the thread that called Send.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Called once, before any byte of the body. False ends the request.
  virtual bool OnHead(const HttpHead& head) = 0;
  // Called for each piece of the body as it arrives, already de-chunked.
  // `bytes` is valid during the call only. False ends the request.
  virtual bool OnBody(std::string_view bytes) = 0;
};

enum class HttpEnd {
  kComplete,     // the whole answer came, with its proper end
  kTruncated,    // the connection broke after the head
  kTimeout,      // read_timeout or deadline went by
  kUnreachable,  // no connection, or it broke before a head; TLS failures too
  kAborted,      // the handler said false
  kStopped,      // the stop token was used
};

struct HttpOutcome {
  HttpEnd end = HttpEnd::kUnreachable;
  // Why, in one clause for a person; empty for kComplete.
  std::string message;
};

class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // Sends one request and feeds `handler` until the answer's end. Blocks;
  // returns soon after `stop` is requested, whatever it is waiting for. Asks
  // for no content encoding (gzip on watches loses frames). On 401 it re-reads
  // the credentials and tries once more before the handler hears of it.
  // Thread-safe: each call has a connection of its own.
  virtual HttpOutcome Send(const HttpRequest& request, HttpHandler& handler,
                           std::stop_token stop) = 0;
};

}  // namespace kem

// Writes one object to the API server and says what became of it. Used by the
// sinks that write there, namespace and annotate; each decides what to do about
// an object that is there already, or is not. Tries once.
//
// Which answers are final: k8s.io/apimachinery/pkg/api/errors, and the API
// conventions, "HTTP Status codes". A policy's verdict on one object is final
// with whatever status it comes, and must not hold up other objects.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "net/http_transport.h"

namespace kem {

struct ApiWrite {
  std::string method;  // POST, PATCH, or GET without a body
  std::string path;    // from "/api" on, with the query, percent-encoded
  std::string content_type = "application/json";
  std::string body = {};  // JSON
  std::string accept = "application/json";
};

struct ApiAnswer {
  enum class Verdict {
    kDone,
    kConflict,   // 409: it is there already, or is another than was meant
    kNotFound,   // 404: the object, or what it shall be in, is not there
    kRefused,    // 400, 413, 415, 422, or a policy: never will be taken
    kForbidden,  // 403: no right, or a namespace that is being deleted
    kTryAgain,   // everything else
  };
  Verdict verdict = Verdict::kTryAgain;
  // One line for the log, such as "PATCH /api/v1/nodes/a: 403 forbidden"; empty
  // when it is done.
  std::string problem = {};
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  // Of an answer, up to 64 kB: for what was read rather than written.
  std::string body = {};
};

// Blocks for at most 10 s; returns soon after `stop` is requested. Thread-safe
// as the transport is.
ApiAnswer SendToApi(HttpTransport& transport, const ApiWrite& write,
                    const std::stop_token& stop);

// As a part of a URL's path: percent-encoded, "/" too. Thread-safe.
std::string PathPart(std::string_view text);

}  // namespace kem

// Sends one request about an object to the API server, once, and classifies the
// response. Used by the sinks of the types mirror and annotate and for Leases,
// which decide what to do next.
// Which statuses are final: k8s.io/apimachinery/pkg/api/errors and the API
// conventions, "HTTP Status codes". A policy's rejection of an object is final
// with any status, so that it does not block other objects.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>

#include "net/http_transport.h"

namespace kem {

struct ApiAnswer {
  enum class Verdict {
    kDone,
    kConflict,   // 409: it already exists, or a precondition failed
    kNotFound,   // 404: the object or its namespace does not exist
    kRefused,    // 400, 413, 415, 422, or a policy: a retry cannot succeed
    kForbidden,  // 403: no permission, or a namespace that is being deleted
    kTryAgain,   // everything else
  };
  Verdict verdict = Verdict::kTryAgain;
  // One line for the log: "PATCH /api/v1/nodes/a: 403 forbidden"; empty for
  // kDone.
  std::string problem = {};
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  std::string body = {};  // cut at ApiLimits::max_body
};

struct ApiLimits {
  std::chrono::milliseconds deadline{10'000};
  size_t max_body = WholeAnswer::kUsualLimit;
};

// `request` has a method; its time limits are replaced. Blocks until the
// deadline at most; returns soon after `stop` is requested. As thread-safe as
// `transport`.
ApiAnswer SendToApi(HttpTransport& transport, HttpRequest request,
                    const std::stop_token& stop, const ApiLimits& limits = {});

}  // namespace kem

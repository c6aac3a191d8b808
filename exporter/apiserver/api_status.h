// Maps errors of the API server (metav1.Status bodies, HTTP statuses, ERROR
// watch events) to error codes, which select the action to take. Used by
// ApiListerWatcher, the reflector and the sinks. A body may be anything,
// because proxies and the API server's filters send plain text, so nothing here
// fails. All calls are thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kem {

// The bytes read of an error's body (as client-go's maxBodySize).
inline constexpr size_t kMaxStatusBody = 2048;

struct ApiStatus {
  bool is_status = false;  // the body's kind is Status
  int code = 0;            // 0 when the body has none
  std::string reason;      // "Expired"; empty when the body has none
  // OneLine, at most 200 bytes; may be empty.
  std::string message;
  std::optional<std::chrono::seconds> retry_after;
  // The cause ResourceVersionTooLarge: the requested version is in the future,
  // for example after etcd was restored from a backup.
  bool resource_version_too_large = false;
};

// Parses a Status. The message of any other body, or a truncated one, is its
// text. Ignores numbers out of range.
ApiStatus ParseStatus(std::string_view body);

// "410 Expired: too old resource version: 1 (5)", without what is missing: the
// words of the API server, on one line.
std::string StatusText(int code, std::string_view reason,
                       std::string_view message);

// What a text is that should have been JSON, as an object of a sentence: the
// first 80 bytes of its first line in quotes, "gzip data" or "nothing".
std::string WhatCame(std::string_view text);

// The same for the body of an answer with status 200 that is not what was
// requested. For HTML it adds who may have sent it, for a Status it is its
// words. Empty for another JSON object.
std::string WhatAnswered(std::string_view body);

// Whether the resourceVersion is gone: 410, or either of the two reasons that
// API servers use for it.
bool IsExpired(int code, std::string_view reason);

// The action for an HTTP status other than 200.
ErrorCode ToErrorCode(int http_status, const ApiStatus& status);

// A failed request, with the data for a retry.
struct Failure {
  Error error;
  int http_status = 0;  // 0 without a response
  std::optional<std::chrono::seconds> retry_after;
};

// The failure for a response other than 200. `what` names the request in the
// message. The header's `retry_after` takes precedence over the body's.
Failure ToFailure(std::string_view what, int http_status,
                  std::optional<std::chrono::seconds> retry_after,
                  std::string_view body);

}  // namespace kem

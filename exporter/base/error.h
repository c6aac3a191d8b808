// The error of a Result: the code selects the action (retry, list again, give
// up), the message is one sentence for a person. Returned by every layer, never
// thrown. Must not contain tokens or whole response bodies.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace kem {

enum class ErrorCode {
  kUnavailable,    // no connection, or a 5xx: back off, same resourceVersion
  kExpired,        // 410, or a resourceVersion the server cannot serve: list
  kThrottled,      // 429: wait for Retry-After, same resourceVersion, no list
  kUnauthorized,   // 401 after the one retry: back off with fresh credentials
  kForbidden,      // 403: back off to the cap, keep running, not ready
  kNotFound,       // 404: the other events API, else as kForbidden
  kRejected,       // 400 or 422: the request is wrong; retry slowly
  kMalformed,      // bytes that violate the protocol
  kTooLarge,       // more bytes than the limit
  kCancelled,      // a stop was requested
  kInvalidConfig,  // a flag or file is unusable: exit code 2
  kInternal,       // a failure of this machine: file, socket, memory
};

// The code's name in metrics and logs: "throttled". Never empty.
std::string_view ToString(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with "prefix: " before its message.
  Error WithPrefix(std::string_view prefix) const;
};

inline Error InvalidConfig(std::string message) {
  return Error{ErrorCode::kInvalidConfig, std::move(message)};
}

// The text of an errno: "Connection refused". Thread-safe, unlike strerror.
std::string SystemMessage(int error_number);

}  // namespace kem

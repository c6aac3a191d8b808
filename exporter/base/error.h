// What went wrong, told by what to do about it. Every layer returns these
// inside a Result; nobody throws them. The code picks the action (retry, list
// again, give up), the message is one sentence for a person. Not a stack trace
// and never a place for tokens or whole response bodies.
#pragma once

#include <string>
#include <string_view>

namespace kem {

enum class ErrorCode {
  kUnavailable,    // could not talk, or a 5xx: back off, same resourceVersion
  kExpired,        // 410, or a resourceVersion the server cannot serve: list
  kThrottled,      // 429: wait as told, same resourceVersion, never list
  kUnauthorized,   // 401 after the one retry: back off with fresh credentials
  kForbidden,      // 403: back off to the cap, keep running, not ready
  kNotFound,       // 404: the other events API, else as kForbidden
  kRejected,       // 400 or 422: our request is wrong; retry slowly
  kMalformed,      // bytes that are not what the protocol promises
  kTooLarge,       // more bytes than we are willing to hold
  kCancelled,      // asked to stop
  kInvalidConfig,  // a flag or file is unusable: exit code 2
  kInternal,       // a failure of this machine: file, socket, memory
};

// The code's name in metrics and logs, such as "throttled". Never empty.
std::string_view ToString(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  // The same error with "prefix: " before its message.
  Error WithPrefix(std::string_view prefix) const;
};

}  // namespace kem

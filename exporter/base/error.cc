#include "base/error.h"

namespace kem {

std::string_view ToString(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kExpired:
      return "expired";
    case ErrorCode::kThrottled:
      return "throttled";
    case ErrorCode::kUnauthorized:
      return "unauthorized";
    case ErrorCode::kForbidden:
      return "forbidden";
    case ErrorCode::kNotFound:
      return "not_found";
    case ErrorCode::kRejected:
      return "rejected";
    case ErrorCode::kMalformed:
      return "malformed";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInvalidConfig:
      return "invalid_config";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

Error Error::WithPrefix(std::string_view prefix) const {
  return Error{code, std::string(prefix) + ": " + message};
}

}  // namespace kem

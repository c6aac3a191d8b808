// What an API server's refusal means: metav1.Status bodies, HTTP statuses and
// in-stream ERROR frames to error codes, which name the action to take. Used by
// ApiListerWatcher and the reflector. Bodies may be anything (proxies and the
// API server's own filters answer in plain text), so nothing here can fail.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kem {

// No more of a refusal's body is read (client-go's maxBodySize likewise).
inline constexpr size_t kMaxStatusBody = 2048;

struct ApiStatus {
  int code = 0;        // 0 when the body does not say
  std::string reason;  // such as "Expired"; empty when the body does not say
  // One line of at most 200 bytes, fit to be shown; may be empty.
  std::string message;
  std::optional<std::chrono::seconds> retry_after;
  // The cause ResourceVersionTooLarge: the version asked for is in the future,
  // as after etcd was restored from a backup.
  bool resource_version_too_large = false;
};

// Reads a Status; of a body that is none (or is cut) only its text. Of numbers
// that make no sense nothing is taken. Thread-safe.
ApiStatus ParseStatus(std::string_view body);

// The resourceVersion is gone: 410, or either of the two reasons API servers
// have used for it. Thread-safe.
bool IsExpired(int code, std::string_view reason);

// The action for an HTTP answer other than 200. Thread-safe.
ErrorCode ToErrorCode(int http_status, const ApiStatus& status);

// Why a request came to nothing, and what a wise retry needs to know.
struct Failure {
  Error error;
  int http_status = 0;  // 0 when no answer came
  std::optional<std::chrono::seconds> retry_after;
};

// Everything of an answer other than 200 with the given body. `what` names the
// request in the message. Thread-safe.
Failure ToFailure(std::string_view what, int http_status,
                  std::optional<std::chrono::seconds> retry_after,
                  std::string_view body);

}  // namespace kem

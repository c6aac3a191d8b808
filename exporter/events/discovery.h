// Requests from the API server which kinds it serves and whether they are
// namespaced. Used by ScopeResolver, which decides when. Keeps no state between
// calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "events/discovery_document.h"
#include "net/http_transport.h"

namespace kem {

class Discovery {
 public:
  // For a whole Fetch with all its requests: a watch waits for it, and must not
  // fall far behind.
  static constexpr std::chrono::seconds kTimeLimit{10};
  // For one response. A cluster with a thousand CRDs sends about 2 MB.
  static constexpr size_t kBodyLimit = size_t{32} << 20;

  // Both must outlive this.
  Discovery(HttpTransport& transport, const Clock& clock);

  // Returns all kinds served now. Blocks for at most kTimeLimit, and returns
  // soon after `stop` is requested (kCancelled). An error only when no kind at
  // all could be read. Thread-safe.
  Result<ApiKinds> Fetch(const std::stop_token& stop) const;

 private:
  Result<std::string> Get(const std::string& path, SteadyTime end,
                          const std::stop_token& stop) const;

  HttpTransport& transport_;
  const Clock& clock_;
};

}  // namespace kem

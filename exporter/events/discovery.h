// Asks the API server which kinds it serves and whether they live in
// namespaces. ScopeResolver uses it to tell a Node from a Pod. It keeps
// nothing between calls and decides nothing about Events; when to ask is
// ScopeResolver's business.
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
  // For a whole Fetch, however many requests it takes: the watch that waits
  // for it must not fall far behind.
  static constexpr std::chrono::seconds kTimeLimit{10};
  // For one answer. A cluster with a thousand CRDs sends about 2 MB.
  static constexpr size_t kBodyLimit = size_t{32} << 20;

  // Both must outlive this.
  Discovery(HttpTransport& transport, const Clock& clock);

  // Asks for everything served now. Blocks for at most kTimeLimit, and returns
  // soon after `stop` is requested. An error only when nothing at all could be
  // learned; kCancelled when stopped. Thread-safe.
  Result<ApiKinds> Fetch(const std::stop_token& stop) const;

 private:
  Result<std::string> Get(const std::string& path, SteadyTime end,
                          const std::stop_token& stop) const;

  HttpTransport& transport_;
  const Clock& clock_;
};

}  // namespace kem

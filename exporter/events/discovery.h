// Requests from the API server which kinds it serves and whether they are
// namespaced, and parses the responses: aggregated discovery (one document for
// all) or unaggregated discovery (one for each group version). Used by
// ScopeResolver, which decides when. Keeps no state between calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/http_transport.h"

namespace kem {

struct ApiKind {
  std::string api_version;  // as in involvedObject.apiVersion: "v1", "apps/v1"
  std::string kind;
  bool namespaced = false;
  // "nodes", as in a URL; empty when it is not valid there.
  std::string plural = {};
};

struct ApiKinds {
  std::vector<ApiKind> kinds;
  // What could not be read, one clause each: "metrics.k8s.io/v1beta1 is stale".
  // Earlier knowledge of these stays valid.
  std::vector<std::string> skipped;
};

// The response of /api or /apis: all kinds (aggregated discovery, API servers
// from 1.30), or only the group versions to request next.
struct DiscoveryRoot {
  ApiKinds found;
  // Group versions to request, each group's preferred one first.
  std::vector<std::string> walk;
};

// Reads APIGroupDiscoveryList, APIVersions or APIGroupList; kMalformed for
// anything else. Skips malformed elements.
Result<DiscoveryRoot> ParseDiscoveryRoot(std::string_view text);

// Reads the APIResourceList of /api/v1 or /apis/<group>/<version>, which was
// requested for `group_version`. kMalformed for anything else.
Result<ApiKinds> ParseResourceList(std::string_view text,
                                   std::string_view group_version);

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

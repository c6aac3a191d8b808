// Parses the documents in which an API server lists its kinds: aggregated
// discovery (one document for all) and unaggregated discovery (one for each
// group version). Used by Discovery, which fetches them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

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

}  // namespace kem

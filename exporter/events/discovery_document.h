// The documents in which an API server tells what kinds it serves: aggregated
// discovery (one document for all) and the plain one (a document for each group
// version). Text in, kinds out; Discovery fetches them.
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
  // "nodes", as it stands in a URL; empty when it could not stand there.
  std::string plural = {};
};

struct ApiKinds {
  std::vector<ApiKind> kinds;
  // What could not be read, one clause each, such as "metrics.k8s.io/v1beta1
  // is stale". What is known of it from earlier stays true.
  std::vector<std::string> skipped;
};

// What /api or /apis answered: all kinds at once (aggregated discovery, API
// servers from 1.30 on), or only where to ask on.
struct DiscoveryRoot {
  ApiKinds found;
  // Of a plain answer: the group versions, each group's preferred one first.
  std::vector<std::string> walk;
};

// Reads APIGroupDiscoveryList, APIVersions or APIGroupList. kMalformed for
// anything else; a broken element spoils only itself.
Result<DiscoveryRoot> ParseDiscoveryRoot(std::string_view text);

// Reads the APIResourceList that /api/v1 or /apis/<group>/<version> answers.
// `group_version` names what was asked for. kMalformed for anything else.
Result<ApiKinds> ParseResourceList(std::string_view text,
                                   std::string_view group_version);

}  // namespace kem

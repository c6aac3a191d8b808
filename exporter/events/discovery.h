// Asks the API server which kinds it serves and whether they live in
// namespaces. ScopeResolver uses it to tell a Node from a Pod. It keeps
// nothing between calls and decides nothing about Events; when to ask is
// ScopeResolver's business.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/http_transport.h"
#include "base/clock.h"
#include "base/result.h"

namespace kem {

struct ApiKind {
  std::string api_version;  // as in involvedObject.apiVersion: "v1", "apps/v1"
  std::string kind;
  bool namespaced = false;
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
  Result<ApiKinds> Fetch(std::stop_token stop) const;

 private:
  Result<std::string> Get(const std::string& path, SteadyTime end,
                          std::stop_token stop) const;

  HttpTransport& transport_;
  const Clock& clock_;
};

}  // namespace kem

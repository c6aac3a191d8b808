// The Events that claim to be about a cluster-scoped object although a
// namespace is involved: how many are trusted, and which untrusted ones to log.
// Used by the pipeline, which decides about trust with EventFilter::Trusts.
// Keeps names of namespaces only.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kem {

// Whether the Event counts with the scope cluster; the label `result`.
enum class ClaimResult { kTrusted, kUntrusted };
inline constexpr std::array<std::string_view, 2> kClaimResultNames = {
    "trusted", "untrusted"};

// For the exporter's own metrics. Any thread may read it.
using ClaimCounts = std::array<std::atomic<uint64_t>, kClaimResultNames.size()>;

// Selects the untrusted claims to log: the first of each namespace in an hour.
//
// Not thread-safe: the world's mutex guards it. Nothing here fails.
class ClaimLog {
 public:
  static constexpr std::chrono::hours kInterval{1};
  // Claims of further namespaces are not logged.
  static constexpr size_t kMaxNamespaces = 256;
  // As long as the API server allows (RFC 1123 label). Longer names in a file
  // are cut.
  static constexpr size_t kMaxName = 63;

  // Whether to log a claim of this namespace now.
  bool Takes(std::string_view event_namespace, SteadyTime now);

 private:
  std::map<std::string, SteadyTime, std::less<>> logged_;
};

}  // namespace kem

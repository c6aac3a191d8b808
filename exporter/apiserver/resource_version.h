// metadata.resourceVersion as a number. Officially comparable since Kubernetes
// 1.35 (apimachinery/pkg/util/resourceversion), in practice always with etcd.
// Used wherever one is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ascii.h"

namespace kem {

// Empty unless `text` is a positive 64-bit number without a leading zero; no
// watch can start from "", "0" or "-1". Thread-safe.
inline std::optional<uint64_t> ParseResourceVersion(std::string_view text) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return {};
  return ParseNumber<uint64_t>(text);
}

}  // namespace kem

// metadata.resourceVersion as a number. Comparable since Kubernetes 1.35
// (apimachinery/pkg/util/resourceversion), in fact since ever with etcd. Used
// wherever one is read.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kem {

// Empty unless `text` is digits only, without a leading zero, and fits: so "",
// "0" and "-1" are empty too, none of which can be watched from. Thread-safe.
inline std::optional<uint64_t> ParseResourceVersion(std::string_view text) {
  if (text.empty() || text.front() < '1' || text.front() > '9') return {};
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return {};
  return value;
}

}  // namespace kem

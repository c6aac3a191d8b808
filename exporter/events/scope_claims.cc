#include "events/scope_claims.h"

namespace kem {

bool ClaimLog::Takes(std::string_view event_namespace, SteadyTime now) {
  const std::string_view name = event_namespace.substr(0, kMaxName);
  const auto is_old = [now](const auto& entry) {
    return now - entry.second >= kInterval;
  };
  const auto found = logged_.find(name);
  if (found != logged_.end()) {
    if (!is_old(*found)) return false;
    found->second = now;
    return true;
  }
  if (logged_.size() >= kMaxNamespaces) std::erase_if(logged_, is_old);
  if (logged_.size() >= kMaxNamespaces) return false;
  logged_.emplace(name, now);
  return true;
}

}  // namespace kem

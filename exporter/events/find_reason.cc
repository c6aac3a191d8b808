#include <algorithm>
#include <tuple>

#include "events/reason_catalogue.h"

namespace kem {

const CatalogueReason* FindReason(const ReasonKey& key) {
  const auto [first, last] = std::equal_range(
      ReasonCatalogue().begin(), ReasonCatalogue().end(), key,
      [](const auto& a, const auto& b) {
        return std::tie(a.reason, a.type) < std::tie(b.reason, b.type);
      });
  const CatalogueReason* found = nullptr;
  for (auto row = first; row != last; ++row) {
    const bool any = row->kind.empty();
    if (!any && (row->kind != key.kind || row->api_group != key.api_group)) {
      continue;
    }
    if (row->component == key.component) return &*row;
    // Rows of any component are sorted first.
    if (found == nullptr) found = &*row;
  }
  return found;
}

}  // namespace kem

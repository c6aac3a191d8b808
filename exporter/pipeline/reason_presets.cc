#include "pipeline/reason_presets.h"

#include "events/reason_catalogue.h"

namespace kem {
namespace {

bool IsDue(const CatalogueReason& one, const ScopeResolver& scopes) {
  if (!one.IsSeries() || one.IsCore()) return one.IsSeries();
  // Its Events may be about kinds that every cluster has, such as Node.
  return scopes.ServesClusterKind(one.found_by_group, one.found_by_kind) &&
         scopes.ServesClusterKind(one.api_group, one.kind);
}

}  // namespace

ReasonPresets::ReasonPresets() : made_(ReasonCatalogue().size()) {}

void ReasonPresets::Update(
    const ScopeResolver& scopes,
    const std::function<bool(const SeriesLabels&)>& preset) {
  if (lessons_ == scopes.lessons()) return;
  lessons_ = scopes.lessons();
  for (size_t i = 0; i < made_.size(); ++i) {
    const CatalogueReason& one = ReasonCatalogue()[i];
    if (made_[i] || !IsDue(one, scopes)) continue;
    SeriesLabels labels;
    labels.scope = Scope::kCluster;
    labels.api_group = one.api_group;
    labels.kind = one.kind;
    labels.reason = one.reason;
    labels.type = one.type;
    labels.reporting_component = one.component;
    made_[i] = preset(labels);
  }
}

}  // namespace kem

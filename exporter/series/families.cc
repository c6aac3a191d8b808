#include "series/families.h"

namespace kem {
namespace {

constexpr std::array<FamilyInfo, kFamilyCount> kFamilies = {{
    {"kube_event_occurrences_total", "counter",
     "Occurrences of Events, by scope, kind, namespace, reason, type and "
     "reporting component."},
    {"kube_event_object_occurrences_total", "counter",
     "Occurrences of Events about cluster-scoped objects, by object."},
    {"kube_event_last_seen_timestamp_seconds", "gauge",
     "Unix time of the last occurrence by its writer's clock, by "
     "cluster-scoped object or by namespace."},
    {"kube_event_active", "gauge", "Events that exist in the API server now."},
}};

}  // namespace

const FamilyInfo& Info(Family family) {
  return kFamilies[static_cast<size_t>(family)];
}

}  // namespace kem

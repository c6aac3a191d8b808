#include "series/families.h"

namespace kem {
namespace {

constexpr std::array<FamilyInfo, kFamilyCount> kFamilies = {{
    {"kube_event_occurrences_total", "counter",
     "Occurrences of Events, by scope, kind and namespace of their object."},
    {"kube_event_object_occurrences_total", "counter",
     "Occurrences of Events, by cluster-scoped object."},
    {"kube_event_last_seen_timestamp_seconds", "gauge",
     "Unix time of the last occurrence, by cluster-scoped object, or by kind "
     "and namespace of a namespaced object."},
    {"kube_event_active", "gauge",
     "Event objects that exist in the API server."},
}};

}  // namespace

const FamilyInfo& Info(Family family) {
  return kFamilies[static_cast<size_t>(family)];
}

}  // namespace kem

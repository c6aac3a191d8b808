#include "series/families.h"

namespace kem {
namespace {

constexpr std::array<FamilyInfo, kFamilyCount> kFamilies = {{
    {"kube_event_occurrences_total", "counter",
     "Occurrences that the API server told of since the exporter started, by "
     "what they are about."},
    {"kube_event_object_occurrences_total", "counter",
     "The same for each cluster-scoped object."},
    {"kube_event_last_seen_timestamp_seconds", "gauge",
     "When it happened last, as its writer says: per object for "
     "cluster-scoped objects, per namespace for the rest."},
    {"kube_event_active", "gauge",
     "Event objects that the API server holds now."},
}};

}  // namespace

const FamilyInfo& Info(Family family) {
  return kFamilies[static_cast<size_t>(family)];
}

}  // namespace kem

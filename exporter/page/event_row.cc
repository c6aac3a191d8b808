#include "page/event_row.h"

#include "events/cluster_kinds.h"

namespace kem {

EventRow RowOf(const RecentEvent& event) {
  EventRow row;
  FoundEvent& found = row.event;
  found.event_namespace = event.event_namespace;
  found.name = event.name;
  found.api_version = event.api_version;
  found.kind = event.kind;
  found.object_name = event.object_name;
  found.reason = event.reason;
  found.type = event.type;
  found.reporting_component = event.reporting_component;
  found.message = event.message;
  found.cluster_scoped = true;
  found.count = event.count;
  found.first_seen = event.first_seen;
  found.last_seen = event.occurred_at;
  found.received = event.seen_at;
  row.occurrences = event.in_window;
  row.at_least = event.at_least;
  return row;
}

EventRow RowOf(FoundEvent event) {
  EventRow row;
  row.occurrences = event.count;
  row.event = std::move(event);
  return row;
}

const CatalogueReason* FindKnown(const FoundEvent& event) {
  const std::string_view group = ApiGroup(event.api_version);
  const CatalogueReason* found = nullptr;
  for (const CatalogueReason& row : ReasonCatalogue()) {
    if (row.reason != event.reason || row.type != event.type) continue;
    const bool any = row.kind.empty();
    if (!any && (row.kind != event.kind || row.api_group != group)) continue;
    if (row.component == event.reporting_component) return &row;
    // A row of another component is better than none.
    if (found == nullptr || row.component.empty()) found = &row;
  }
  return found;
}

std::string_view Trouble(const FoundEvent& event,
                         const CatalogueReason* known) {
  if (event.type == "Warning") return "Warning";
  if (known == nullptr) return "";
  switch (known->severity) {
    case Severity::kCritical:
      return "critical";
    case Severity::kWarning:
      return "warning";
    case Severity::kInfo:
      break;
  }
  return "";
}

}  // namespace kem

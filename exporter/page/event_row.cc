#include "page/event_row.h"

#include "events/cluster_kinds.h"
#include "history/recent_source.h"

namespace kem {

EventRow RowOf(const RecentEvent& event) {
  EventRow row;
  row.occurrences = event.in_window;
  row.at_least = event.at_least;
  row.event = FoundOf(event);
  return row;
}

EventRow RowOf(FoundEvent event) {
  EventRow row;
  row.occurrences = event.count;
  row.event = std::move(event);
  return row;
}

const CatalogueReason* FindKnown(const FoundEvent& event) {
  return FindReason({.reason = event.reason,
                     .type = event.type,
                     .kind = event.kind,
                     .api_group = ApiGroup(event.api_version),
                     .component = event.reporting_component});
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

#include "page/page_sums.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "events/cluster_kinds.h"

namespace kem {
namespace {

constexpr size_t kTopReasons = 8;

using Object = std::tuple<std::string_view, std::string_view, std::string_view>;

// As in the series: by group, as writers differ in the version.
Object ObjectOf(const RecentEvent& event) {
  return {ApiGroup(event.api_version), event.kind, event.object_name};
}

}  // namespace

const CatalogueReason* FindKnown(const RecentEvent& event) {
  return FindReason({.reason = event.reason,
                     .type = event.type,
                     .kind = event.kind,
                     .api_group = ApiGroup(event.api_version),
                     .component = event.reporting_component});
}

std::string_view Trouble(const RecentEvent& event,
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

PageSums AddUp(const RecentEvents::View& recent) {
  PageSums sums;
  std::set<Object> objects;
  sums.at_least = recent.more;
  for (const RecentEvent& event : recent.events) {
    sums.occurrences += event.in_window;
    if (!Trouble(event, FindKnown(event)).empty()) {
      sums.trouble += event.in_window;
    }
    sums.at_least |= event.at_least;
    objects.insert(ObjectOf(event));
  }
  sums.objects = objects.size();
  return sums;
}

std::vector<PageReason> TopReasons(const std::vector<RecentEvent>& events) {
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Key, PageReason> found;
  std::map<Key, std::set<Object>> objects;
  for (const RecentEvent& event : events) {
    const Key key(event.kind, event.reason, Trouble(event, FindKnown(event)));
    PageReason& reason = found[key];
    std::tie(reason.kind, reason.reason, reason.trouble) = key;
    reason.occurrences += event.in_window;
    if (objects[key].insert(ObjectOf(event)).second) ++reason.objects;
  }
  std::vector<PageReason> reasons;
  reasons.reserve(found.size());
  for (const auto& [key, reason] : found) reasons.push_back(reason);
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const PageReason& a, const PageReason& b) {
                     return a.occurrences > b.occurrences;
                   });
  if (reasons.size() > kTopReasons) reasons.resize(kTopReasons);
  return reasons;
}

}  // namespace kem

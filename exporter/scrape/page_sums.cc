#include "scrape/page_sums.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace kem {
namespace {

constexpr size_t kTopReasons = 8;

using Object = std::tuple<std::string_view, std::string_view, std::string_view>;

Object ObjectOf(const RecentEvent& event) {
  return {event.api_version, event.kind, event.object_name};
}

}  // namespace

bool IsWarning(const RecentEvent& event) { return event.type == "Warning"; }

PageSums AddUp(const RecentEvents::View& recent) {
  PageSums sums;
  std::set<Object> objects;
  sums.at_least = recent.more;
  for (const RecentEvent& event : recent.events) {
    sums.occurrences += event.in_window;
    if (IsWarning(event)) sums.warnings += event.in_window;
    sums.at_least |= event.at_least;
    objects.insert(ObjectOf(event));
  }
  sums.objects = objects.size();
  return sums;
}

std::vector<PageReason> TopReasons(const std::vector<RecentEvent>& events) {
  using Key = std::tuple<std::string_view, std::string_view, bool>;
  std::map<Key, PageReason> found;
  std::map<Key, std::set<Object>> objects;
  for (const RecentEvent& event : events) {
    const Key key(event.kind, event.reason, IsWarning(event));
    PageReason& reason = found[key];
    std::tie(reason.kind, reason.reason, reason.warning) = key;
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

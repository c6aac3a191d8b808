#include "page/page_sums.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "events/cluster_kinds.h"

namespace kem {
namespace {

constexpr size_t kTopReasons = 8;

using Object = std::tuple<std::string_view, std::string_view, std::string_view,
                          std::string_view>;

// As in the series: by group, as writers differ in the version.
Object KeyOf(const FoundEvent& event) {
  return {ApiGroup(event.api_version), event.kind, event.object_namespace,
          event.object_name};
}

}  // namespace

PageSums AddUp(const std::vector<EventRow>& rows) {
  PageSums sums;
  std::set<Object> objects;
  for (const EventRow& row : rows) {
    sums.occurrences += row.occurrences;
    if (!Trouble(row.event, FindKnown(row.event)).empty()) {
      sums.trouble += row.occurrences;
    }
    sums.at_least |= row.at_least;
    objects.insert(KeyOf(row.event));
  }
  sums.objects = objects.size();
  return sums;
}

std::vector<PageReason> TopReasons(const std::vector<EventRow>& rows) {
  using Key = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Key, PageReason> found;
  std::map<Key, std::set<Object>> objects;
  for (const EventRow& row : rows) {
    const FoundEvent& event = row.event;
    const Key key(event.kind, event.reason, Trouble(event, FindKnown(event)));
    PageReason& reason = found[key];
    std::tie(reason.kind, reason.reason, reason.trouble) = key;
    reason.occurrences += row.occurrences;
    if (objects[key].insert(KeyOf(event)).second) ++reason.objects;
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

std::vector<ReasonHistory> ByReason(const std::vector<EventRow>& rows) {
  std::vector<ReasonHistory> reasons;
  std::map<std::string_view, size_t> known;
  for (const EventRow& row : rows) {
    const FoundEvent& event = row.event;
    const auto [at, added] = known.emplace(event.reason, reasons.size());
    if (added) {
      reasons.push_back({.reason = event.reason,
                         .trouble = {},
                         .occurrences = 0,
                         .first_seen = event.first_seen,
                         .rows = {}});
    }
    ReasonHistory& reason = reasons[at->second];
    if (reason.trouble.empty()) {
      reason.trouble = Trouble(event, FindKnown(event));
    }
    reason.occurrences += row.occurrences;
    reason.first_seen = std::min(reason.first_seen, event.first_seen);
    reason.rows.push_back(&row);
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const ReasonHistory& a, const ReasonHistory& b) {
                     return a.trouble.empty() < b.trouble.empty();
                   });
  return reasons;
}

}  // namespace kem

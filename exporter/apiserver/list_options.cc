#include "apiserver/list_options.h"

#include "base/encoding.h"

namespace kem {
namespace {

void AppendSelector(const std::string& selector, std::string& query) {
  if (selector.empty()) return;
  if (!query.empty()) query += '&';
  query += "fieldSelector=" + PercentEncode(selector);
}

}  // namespace

std::string ToQuery(const ListOptions& options) {
  std::string query;
  if (options.limit > 0) query = "limit=" + std::to_string(options.limit);
  if (!options.continue_token.empty()) {
    if (!query.empty()) query += '&';
    query += "continue=" + PercentEncode(options.continue_token);
  }
  AppendSelector(options.field_selector, query);
  return query;
}

std::string ToQuery(const WatchOptions& options) {
  std::string query =
      "watch=1&allowWatchBookmarks=true&resourceVersion=" +
      std::to_string(options.resource_version) +
      "&timeoutSeconds=" + std::to_string(options.timeout.count());
  AppendSelector(options.field_selector, query);
  return query;
}

}  // namespace kem

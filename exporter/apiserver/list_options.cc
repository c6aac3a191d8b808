#include "apiserver/list_options.h"

#include <string_view>

#include "base/encoding.h"

namespace kem {
namespace {

// Nothing for an empty value.
void Append(std::string_view name, const std::string& value,
            std::string& query) {
  if (value.empty()) return;
  if (!query.empty()) query += '&';
  query.append(name).append("=").append(PercentEncode(value));
}

}  // namespace

std::string ToQuery(const ListOptions& options) {
  std::string query;
  if (options.limit > 0) query = "limit=" + std::to_string(options.limit);
  Append("continue", options.continue_token, query);
  Append("fieldSelector", options.field_selector, query);
  return query;
}

std::string ToQuery(const WatchOptions& options) {
  std::string query =
      "watch=1&allowWatchBookmarks=true&resourceVersion=" +
      std::to_string(options.resource_version) +
      "&timeoutSeconds=" + std::to_string(options.timeout.count());
  Append("fieldSelector", options.field_selector, query);
  return query;
}

}  // namespace kem

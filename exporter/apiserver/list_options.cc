#include "apiserver/list_options.h"

namespace kem {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void AppendSelector(const std::string& selector, std::string& query) {
  if (selector.empty()) return;
  if (!query.empty()) query += '&';
  query += "fieldSelector=" + EscapeQuery(selector);
}

}  // namespace

std::string EscapeQuery(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      escaped += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    escaped += '%';
    escaped += kHex[byte >> 4];
    escaped += kHex[byte & 15];
  }
  return escaped;
}

std::string ToQuery(const ListOptions& options) {
  std::string query;
  if (options.limit > 0) query = "limit=" + std::to_string(options.limit);
  if (!options.continue_token.empty()) {
    if (!query.empty()) query += '&';
    query += "continue=" + EscapeQuery(options.continue_token);
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

// What to ask a collection for, and the query string that asks it. Used by the
// reflector, which decides, and ApiListerWatcher, which sends. The rules are
// those of the API server's list and watch options
// (apimachinery/pkg/apis/meta/v1 ListOptions).
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace kem {

// One page of a list. No resourceVersion is ever sent: without one the first
// page is the present, and later pages are pinned to it by the token (with one
// they would be refused).
struct ListOptions {
  // Items a page; 0 asks for all of them at once.
  int64_t limit = 0;
  // The token the page before gave; empty for the first page.
  std::string continue_token;
  // "type=Warning,reason!=Pulled"; empty for everything.
  std::string field_selector = {};
};

struct WatchOptions {
  // Greater than 0: without one a watch starts with invented ADDED frames.
  uint64_t resource_version = 0;
  // When the API server is to end the watch. Greater than 0: without one it
  // takes half an hour to an hour.
  std::chrono::seconds timeout{0};
  // As for the list that the watch goes on from.
  std::string field_selector = {};
};

// "limit=500&continue=abc"; empty when there is nothing to say. Thread-safe.
std::string ToQuery(const ListOptions& options);

// "watch=1&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=290".
// Thread-safe.
std::string ToQuery(const WatchOptions& options);

// `text` with everything but RFC 3986's unreserved characters percent-encoded.
// Thread-safe.
std::string EscapeQuery(std::string_view text);

}  // namespace kem

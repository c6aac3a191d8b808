// Options of list and watch requests, and their query strings
// (apimachinery/pkg/apis/meta/v1 ListOptions). Used by the reflector, which
// chooses them, and ApiListerWatcher, which sends them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace kem {

// One page of a list. resourceVersion is never sent: without one the first page
// is the present state, and the continue token pins later pages to it (a later
// page with a resourceVersion is refused).
struct ListOptions {
  // Items per page; 0 for all of them at once.
  int64_t limit = 0;
  // From the page before; empty for the first page.
  std::string continue_token;
  // "type=Warning,reason!=Pulled"; empty for everything.
  std::string field_selector = {};
};

struct WatchOptions {
  // Greater than 0: without one a watch starts with synthetic ADDED events.
  uint64_t resource_version = 0;
  // When the API server ends the watch. Greater than 0: by default it takes 30
  // to 60 minutes.
  std::chrono::seconds timeout{0};
  // The same as for the list before.
  std::string field_selector = {};
};

// "limit=500&continue=abc"; empty without options. Thread-safe.
std::string ToQuery(const ListOptions& options);

// "watch=1&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=290".
// Thread-safe.
std::string ToQuery(const WatchOptions& options);

}  // namespace kem

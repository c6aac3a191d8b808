// Shared by the reflector's three source files: the state of a list, the result
// of a watch, and a limit of both.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "reflector/list_page.h"
#include "reflector/reflector.h"
#include "reflector/session_stats.h"

namespace kem {

// API servers compact every 5 minutes. A resourceVersion that is older may be
// gone, and a watch cannot start from a list that takes longer.
inline constexpr std::chrono::seconds kCompactionMargin{270};

// A list that is not complete yet.
struct Reflector::ListRun {
  int64_t items = 0;
  int64_t pages = 0;
  std::vector<std::string> selectors;  // by API
  ListOptions next;
  ListCommit commit;
  ListPage page;
};

struct Reflector::WatchReport {
  WatchEnd end = WatchEnd::kClean;
  Failure failure;          // why it did not open, or the ERROR event
  bool progressed = false;  // to a newer resourceVersion
  std::chrono::milliseconds lived{0};  // 0 when it did not open
};

}  // namespace kem

// What the reflector's three source files share: the states of a list and of a
// watch, and limits that both go by. Used by those files only; no part of the
// reflector's interface.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "reflector/list_page.h"
#include "reflector/reflector.h"
#include "reflector/session_stats.h"

namespace kem {

// client-go's page size (tools/pager).
inline constexpr int64_t kPageLimit = 500;
// API servers compact every 5 minutes: after that a resourceVersion may be
// gone, and a list that takes longer cannot be watched from.
inline constexpr std::chrono::seconds kCompactionMargin{270};

// A list under way.
struct Reflector::ListRun {
  int64_t items = 0;
  int64_t pages = 0;                   // that came
  std::vector<std::string> selectors;  // one an API
  ListOptions next;
  ListCommit commit;
  ListPage page;
};

// A watch that is over.
struct Reflector::WatchReport {
  WatchEnd end = WatchEnd::kClean;
  Failure failure;          // why it did not open, or the ERROR frame
  bool progressed = false;  // to a newer resourceVersion
  std::chrono::milliseconds lived{0};  // 0 when it did not open
};

}  // namespace kem

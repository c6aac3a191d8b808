// What the reflector's three source files share: the state of a list, the
// result of a watch, and a limit of both. Not part of the reflector's
// interface; used by no other file.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/error.h"
#include "reflector/list_page.h"
#include "reflector/reflector.h"
#include "reflector/session_stats.h"

namespace kem {

// API servers compact every 5 minutes. A resourceVersion that is older may be
// gone, and a watch cannot start from a list that takes longer.
inline constexpr std::chrono::seconds kCompactionMargin{270};

// The value of `Enum` with the name of `code`, else `other`.
template <typename Enum, size_t N>
Enum FromErrorCode(ErrorCode code, const std::array<std::string_view, N>& names,
                   Enum other) {
  const auto name = std::find(names.begin(), names.end(), ToString(code));
  return name == names.end() ? other : static_cast<Enum>(name - names.begin());
}

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

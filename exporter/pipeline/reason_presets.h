// Decides which counters of the reason catalogue start at 0, so that increase()
// sees their first occurrence: those of Kubernetes itself at once, those of an
// add-on when discovery has found it. Used by the pipelines after a list is
// committed. Does not count, and knows no objects.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "events/scope.h"
#include "series/series_table.h"

namespace kem {

// Not thread-safe: guarded by the mutex that guards `scopes`.
class ReasonPresets {
 public:
  ReasonPresets();

  // Calls `preset` with each tuple that is due and not made yet; it returns
  // whether it made it. Cheap when discovery learnt nothing since the last
  // call.
  void Update(const ScopeResolver& scopes,
              const std::function<bool(const SeriesLabels&)>& preset);
  // The next Update tries again what was not made.
  void TryAgain() { lessons_.reset(); }

 private:
  std::optional<uint64_t> lessons_;
  std::vector<bool> made_;
};

}  // namespace kem

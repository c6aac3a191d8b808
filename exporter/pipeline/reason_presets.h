// Decides which counters of the reason catalogue start at 0, and when, so that
// increase() sees their first occurrence: those of Kubernetes itself at once,
// an add-on's when discovery has found it. Used by the pipelines once a list
// is committed. Does not count, and knows nothing of objects.
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

  // Calls `preset` with each tuple that is due and has not been made before;
  // it tells whether it made it. Cheap when discovery learnt nothing since the
  // last call.
  void Update(const ScopeResolver& scopes,
              const std::function<bool(const SeriesLabels&)>& preset);
  // What was not made shall be tried again by the next Update.
  void TryAgain() { lessons_.reset(); }

 private:
  std::optional<uint64_t> lessons_;
  std::vector<bool> made_;
};

}  // namespace kem

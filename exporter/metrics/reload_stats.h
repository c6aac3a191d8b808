// Results of reloads of the configuration.
// Written by the reloader, read by scrapes.
// One object serves the process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace kem {

// The label `result`.
enum class ReloadResult { kSuccess, kFailure };
inline constexpr std::array<std::string_view, 2> kReloadResultNames = {
    "success", "failure"};

// The start counts as the first success, but not as a reload.
struct ReloadStats {
  std::array<std::atomic<uint64_t>, kReloadResultNames.size()> reloads{};
  std::atomic<bool> last_successful{true};
  std::atomic<int64_t> success_micros{0};  // since 1970

  void Count(ReloadResult result) { ++reloads[static_cast<size_t>(result)]; }
  void NoteSuccess(WallTime now) {
    last_successful = true;
    success_micros = now.time_since_epoch().count();
  }
};

}  // namespace kem

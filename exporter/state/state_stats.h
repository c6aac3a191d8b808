// Results of loading and saving the state, for the exporter's own metrics and
// /readyz. Written by LoadState and StateStore, read by scrapes.
// Nothing here is about what the state contains.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace kem {

// What the start found; the label `result`.
enum class StateLoad { kNone, kLoaded, kUnusable };
inline constexpr std::array<std::string_view, 3> kStateLoadNames = {
    "none", "loaded", "unusable"};

// The label `result` of saves.
inline constexpr std::array<std::string_view, 2> kStateSaveNames = {"success",
                                                                    "failed"};

// Thread-safe.
struct StateStats {
  // --state.file is given.
  std::atomic<bool> enabled{false};
  std::atomic<StateLoad> load{StateLoad::kNone};
  std::array<std::atomic<uint64_t>, kStateSaveNames.size()> saves{};
  std::atomic<int64_t> last_success_seconds{0};  // Unix time
  std::atomic<uint64_t> bytes{0};

  void SetProblem(std::string text) {
    const std::lock_guard lock(mutex_);
    problem_ = std::move(text);
  }
  // Why the last save failed, one sentence; empty after a success.
  std::string problem() const {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  mutable std::mutex mutex_;
  std::string problem_;
};

}  // namespace kem

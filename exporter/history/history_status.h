// How the history is, for /readyz and the exporter's own metrics. Written by
// the sink's thread, read by scrapes. Does not know the file.
// Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"

namespace kem {

struct HistoryReport {
  uint64_t bytes = 0;   // of the file and its WAL
  uint64_t events = 0;  // rows
  // When the oldest of them was last received; 1970 without one.
  WallTime oldest{};
  // Unusable files that were put aside since the start.
  uint64_t put_aside = 0;
  // Why nothing can be written, one sentence; empty when it can.
  std::string problem{};

  bool up() const { return problem.empty(); }
  double oldest_seconds() const {
    return std::chrono::duration<double>(oldest.time_since_epoch()).count();
  }
};

class HistoryStatus {
 public:
  // Of another file.
  void Clear() {
    const std::lock_guard lock(mutex_);
    report_ = {.put_aside = report_.put_aside};
  }
  void SetSizes(uint64_t bytes, uint64_t events, WallTime oldest) {
    const std::lock_guard lock(mutex_);
    report_.bytes = bytes;
    report_.events = events;
    report_.oldest = oldest;
  }
  void SetProblem(std::string text) {
    const std::lock_guard lock(mutex_);
    report_.problem = std::move(text);
  }
  void NotePutAside() {
    const std::lock_guard lock(mutex_);
    ++report_.put_aside;
  }
  HistoryReport Report() const {
    const std::lock_guard lock(mutex_);
    return report_;
  }

  // A reader found damage in this file, so that its writer puts it aside.
  void NoteDamage(const std::string& path) {
    const std::lock_guard lock(mutex_);
    damaged_ = path;
  }
  bool TakeDamage(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return std::exchange(damaged_, "") == path;
  }

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  HistoryReport report_;
  std::string damaged_;  // a path
};

}  // namespace kem

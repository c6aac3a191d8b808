// How the history is, for /readyz and the exporter's own metrics. Written by
// the sink's thread and by readers, read by scrapes. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

namespace kem {

struct HistoryStatus {
  std::atomic<uint64_t> bytes{0};  // of the file and its WAL
  std::atomic<uint64_t> events{0};
  // When the oldest Event in it was last received; 0 without one.
  std::atomic<int64_t> oldest_micros{0};
  // Unusable files that were put aside since the start.
  std::atomic<uint64_t> put_aside{0};
  // A reader found damage: the writer puts the file aside.
  std::atomic<bool> damaged{false};

  void SetProblem(std::string text) {
    const std::lock_guard lock(mutex_);
    problem_ = std::move(text);
  }
  // Why nothing can be written, one sentence; empty when it can.
  std::string problem() const {
    const std::lock_guard lock(mutex_);
    return problem_;
  }

 private:
  mutable std::mutex mutex_;
  std::string problem_;
};

}  // namespace kem

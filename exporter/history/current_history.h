// The history that the configuration names now, if any. A reload may replace
// it. Used by the app: for the API and the pages, which ask it, for the sink,
// which reports to it, and for /readyz and the exporter's own metrics. Does not
// write the file. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "history/history_reader.h"
#include "history/history_status.h"

namespace kem {

class CurrentHistory {
 public:
  // `clock` must outlive this, and this all readers.
  explicit CurrentHistory(const Clock& clock) : clock_(clock) {}

  // The path of the sink of the type history; none without one. Opens nothing.
  // Returns the former path.
  using Path = std::optional<std::string>;
  Path Set(const Path& path) {
    // Ends after the mutex is released: a disk may hang when it is closed.
    std::shared_ptr<EventSource> former;
    const std::lock_guard guard(mutex_);
    if (path == path_) return path_;
    status_.Clear();
    former = std::exchange(
        source_, path ? std::make_shared<HistoryReader>(*path, clock_, status_)
                      : nullptr);
    return std::exchange(path_, path);
  }

  // Null without a history. After a reload the old one still answers, from its
  // own file.
  std::shared_ptr<EventSource> Source() const {
    const std::lock_guard guard(mutex_);
    return source_;
  }

  // None without a history.
  std::optional<HistoryReport> Report() const {
    if (!Source()) return std::nullopt;
    return status_.Report();
  }

  // For the writer.
  HistoryStatus& status() { return status_; }

 private:
  const Clock& clock_;
  HistoryStatus status_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Path path_;
  std::shared_ptr<EventSource> source_;
};

}  // namespace kem

// Counters about occurrences, besides the event series: tracked Events,
// filtered occurrences, lag. Written by the pipelines, read by a scrape. One
// object for the process.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace kem {

// Time from an occurrence to its receipt. Buckets are not cumulative.
class LagHistogram {
 public:
  // Upper bounds in seconds; one more bucket has the rest. The highest are for
  // the events.k8s.io recorder, which reports the third and later occurrences
  // only after 6 to 30 minutes.
  static constexpr std::array<double, 11> kBounds = {
      0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800};

  // Thread-safe. A negative lag (the writer's clock is ahead) counts as 0.
  void Observe(std::chrono::microseconds lag) {
    const int64_t micros = std::max<int64_t>(lag.count(), 0);
    const double seconds = static_cast<double>(micros) / 1e6;
    const auto bucket = static_cast<size_t>(
        std::lower_bound(kBounds.begin(), kBounds.end(), seconds) -
        kBounds.begin());
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_micros_.fetch_add(static_cast<uint64_t>(micros),
                          std::memory_order_relaxed);
  }

  uint64_t bucket(size_t i) const { return buckets_[i]; }
  double sum_seconds() const {
    return static_cast<double>(sum_micros_.load()) / 1e6;
  }

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<uint64_t> sum_micros_{0};
};

struct OccurrenceStats {
  // Gauges: each pipeline adds and subtracts its own part.
  std::atomic<int64_t> tracked{0};
  std::atomic<int64_t> tombstones{0};
  // Occurrences of "(combined from similar events)" Events, whose messages
  // differ.
  std::atomic<uint64_t> combined{0};
  // Occurrences of Events that the filter excluded.
  std::atomic<uint64_t> filtered{0};
  LagHistogram lag;
};

}  // namespace kem

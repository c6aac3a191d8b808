// New occurrences of one Event, with the Event, for the sinks that deliver
// Events. Made by the pipeline, kept as bytes in the Outbox and in the state,
// read by the sinks. The bytes are the only copy of the texts: an Occurrence
// points into them, or into the watch event it was made from. Not used for
// counting. Also the counters about occurrences.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "events/event.h"
#include "events/scope.h"
#include "events/scope_claims.h"
#include "occurrences/outbox_entry.h"

namespace kem {

struct Occurrence : Event {
  // Longer texts are cut when encoded.
  static constexpr size_t kMaxMessage = 4096;
  static constexpr size_t kMaxWord = 512;

  // At most this many parts; of more, the oldest are joined.
  static constexpr size_t kMaxParts = 64;

  Scope scope = Scope::kCluster;
  uint32_t delta = 1;  // new occurrences, of the Event's `count`
  // Earlier occurrences of the Event that `delta` contains: see Parts.
  std::string_view joined = {};

  // Identifies a state of one Event object by its uid and its count: the same
  // from a list and a watch, before and after a restart, and in two replicas.
  // A replica that sees several changes in one list has only the id of the
  // last, with a larger `delta`. The part after the last slash is the count.
  std::string Id() const;
};

// About 300 bytes plus the message.
std::string EncodeOccurrence(const Occurrence& occurrence);
// The same bytes of an Occurrence with these members, for Outbox::Offer.
OutboxEntryPtr MakeEntry(const Event& event, Scope scope, uint32_t delta);
// Points into `bytes`. Empty when they are not an Occurrence.
std::optional<Occurrence> DecodeOccurrence(std::string_view bytes);

// One version of an Event within an occurrence that was joined from several.
struct OccurrencePart {
  uint64_t resource_version = 0;
  uint32_t delta = 0;
  bool operator==(const OccurrencePart&) const = default;
};
// All of them in their order, at least one; the last is the occurrence's own
// version. Their deltas add up to the occurrence's.
std::vector<OccurrencePart> Parts(const Occurrence& occurrence);
// Without the first `count` of its parts, which are fewer than all; points into
// the same bytes.
Occurrence WithoutParts(const Occurrence& occurrence, size_t count);

// Both as bytes, and of one Event: the newer one with the sum of their deltas.
std::string JoinOccurrences(std::string_view older, std::string_view newer);

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

// For the exporter's own metrics, besides the event series. Written by the
// pipelines, read by a scrape; one object for the process.
struct OccurrenceStats {
  // Gauges: each pipeline adds and subtracts its own part.
  std::atomic<int64_t> tracked{0};
  std::atomic<int64_t> tombstones{0};
  // Occurrences of "(combined from similar events)" Events, whose messages
  // differ.
  std::atomic<uint64_t> combined{0};
  // Occurrences that were counted as at least one, because the Event's past is
  // not known: there may have been more.
  std::atomic<uint64_t> lower_bounds{0};
  // Occurrences of Events that the filter excluded.
  std::atomic<uint64_t> filtered{0};
  // Events about cluster-scoped objects that name a namespace for them or are
  // in a namespace that is not trusted.
  ClaimCounts claims{};
  LagHistogram lag;
};

}  // namespace kem

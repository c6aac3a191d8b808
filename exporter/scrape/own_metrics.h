// The exporter's metrics about itself, kube_event_metrics_* and process_*: one
// table of name, type, help and where the value comes from. Used by a scrape,
// after the event series; METRICS.md is checked against the same table. The
// values live in the layers that make them, as plain counters.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "events/scope.h"
#include "forward/forwarder.h"
#include "frames/session_stats.h"
#include "occurrences/occurrence_stats.h"
#include "scrape/reload_stats.h"
#include "series/series_table.h"
#include "state/state_stats.h"

namespace kem {

// Answers of our own HTTP server, by handler and status code. Thread-safe.
class HttpStats {
 public:
  // `handler` is one of the server's own few names, never a client's path.
  void Count(const std::string& handler, int code) {
    const std::lock_guard guard(mutex_);
    ++requests_[{handler, code}];
  }
  std::map<std::pair<std::string, int>, uint64_t> Requests() const {
    const std::lock_guard guard(mutex_);
    return requests_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
};

// Where the values are read; all must outlive the OwnMetrics.
struct MetricSources {
  const SessionStats& session;
  const OccurrenceStats& occurrences;
  const ScopeStats& scopes;
  const HttpStats& http;
  const ReloadStats& reloads;
  const StateStats& state;
  // Takes the world's mutex.
  std::function<SeriesCounts()> series;
  // Every watch's first list is committed.
  std::function<bool()> synced;
  // Takes the ledger's mutex.
  std::function<std::vector<OutletStatus>()> outlets;
  // When the counters began.
  WallTime started;
};

class OwnMetrics {
 public:
  explicit OwnMetrics(MetricSources sources) : sources_(std::move(sources)) {}

  // Appends all of them. Thread-safe.
  void Render(std::string& out, const TextStyle& style = {}) const;

 private:
  const MetricSources sources_;
};

// Name, type and help of each, in order of exposition; for checks and docs.
std::vector<FamilyInfo> OwnMetricInfos();

}  // namespace kem

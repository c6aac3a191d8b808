// The exporter's own metrics, kube_event_metrics_* and process_*: one table of
// name, type, help and source. Used by a scrape, after the event series. The
// values are plain counters in the layers that count.
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
#include "metrics/reload_stats.h"
#include "occurrences/occurrence_stats.h"
#include "reflector/session_stats.h"
#include "series/series_table.h"
#include "sinks/sink_runner.h"
#include "state/state_stats.h"
#include "web/http_stats.h"

namespace kem {

// All must outlive the OwnMetrics.
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
  std::function<std::vector<SinkStatus>()> sinks;
  // Since when the counters count.
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

// In order of exposition; for tests.
std::vector<FamilyInfo> OwnMetricInfos();

}  // namespace kem

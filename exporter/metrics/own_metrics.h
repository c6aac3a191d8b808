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
#include "metrics/reload_stats.h"
#include "occurrences/occurrence_stats.h"
#include "reflector/session_stats.h"
#include "series/series_table.h"
#include "sinks/sink_runner.h"
#include "state/state_stats.h"
#include "web/http_stats.h"

namespace kem {

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
  std::function<std::vector<SinkStatus>()> sinks;
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

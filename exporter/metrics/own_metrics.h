// The exporter's own metrics, kube_event_metrics_* and process_*: one table of
// name, type, help and source. Used by a scrape, after the event series. The
// values are plain counters in the layers that count.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "events/scope.h"
#include "history/history_status.h"
#include "occurrences/occurrence.h"
#include "reflector/session_stats.h"
#include "replicas/elector.h"
#include "series/series_table.h"
#include "sinks/sink_runner.h"
#include "state/state_load.h"
#include "web/http_stats.h"

namespace kem {

// The label `result` of reloads.
enum class ReloadResult { kSuccess, kFailure };
inline constexpr std::array<std::string_view, 2> kReloadResultNames = {
    "success", "failure"};

// Reloads of the configuration, written by the reloader. The start counts as
// the first success, but not as a reload.
struct ReloadStats {
  std::array<std::atomic<uint64_t>, kReloadResultNames.size()> reloads{};
  std::atomic<bool> last_successful{true};
  std::atomic<int64_t> success_micros{0};  // since 1970

  void Count(ReloadResult result) { ++reloads[static_cast<size_t>(result)]; }
  double success_seconds() const {
    return static_cast<double>(success_micros.load()) / 1e6;
  }
  void NoteSuccess(WallTime now) {
    last_successful = true;
    success_micros = now.time_since_epoch().count();
  }
};

// The values of the standard process_* metrics; 0 where /proc is not readable.
struct ProcessReadings {
  double cpu_seconds = 0;
  double open_fds = 0;
  double max_fds = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
  double start_time_seconds = 0;
};

// Reads /proc/self. Thread-safe.
ProcessReadings ReadProcess();

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
  std::function<ReplicaStatus()> replicas;
  // None without a history.
  std::function<std::optional<HistoryReport>()> history;
  // Since when the counters count.
  WallTime started;
  // Of the page; empty for none.
  std::string external_url = {};
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

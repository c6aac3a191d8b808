#include "metrics/own_metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "metrics/open_metrics.h"
#include "version.h"

namespace kem {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Samples = std::vector<ClientMetric>;
using Labels = std::vector<ClientMetric::Label>;

// What one scrape reads, taken once.
struct Reading : MetricSources {
  explicit Reading(const MetricSources& sources)
      : MetricSources(sources),
        series_counts(series()),
        sink_statuses(sinks()),
        replica(replicas()),
        history_report(history()),
        process(ReadProcess()) {}
  const SeriesCounts series_counts;
  const std::vector<SinkStatus> sink_statuses;
  const ReplicaStatus replica;
  const std::optional<HistoryReport> history_report;
  const ProcessReadings process;
};

using Sources = const Reading&;
struct OwnMetric {
  FamilyInfo info;
  Samples (*read)(Sources);
};

// Of a counter or a gauge: the family's type selects the field.
ClientMetric Sample(double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  metric.gauge.value = value;
  return metric;
}

Samples One(double value) { return {Sample(value)}; }

template <typename Number>
Samples One(const std::atomic<Number>& value) {
  return {Sample(static_cast<double>(value.load()))};
}

template <size_t N>
Samples ByName(const char* label, const std::array<std::string_view, N>& names,
               const std::array<std::atomic<uint64_t>, N>& values) {
  Samples samples;
  for (size_t i = 0; i < N; ++i) {
    samples.push_back(Sample(static_cast<double>(values[i].load()),
                             {{label, std::string(names[i])}}));
  }
  return samples;
}

Samples ReadBuildInfo(const Reading&) {
  return {Sample(1, {{"version", kVersion},
                     {"revision", kRevision},
                     {"compiler", kCompiler}})};
}

Samples ReadExternalUrl(const Reading& sources) {
  if (sources.external_url.empty()) return {};
  return {Sample(1, {{"url", sources.external_url}})};
}

Samples ReadLag(const Reading& sources) {
  const LagHistogram& lag = sources.occurrences.lag;
  ClientMetric metric;
  uint64_t count = 0;
  for (size_t i = 0; i < LagHistogram::kBounds.size(); ++i) {
    count += lag.bucket(i);
    metric.histogram.bucket.push_back({count, LagHistogram::kBounds[i]});
  }
  metric.histogram.sample_count =
      count + lag.bucket(LagHistogram::kBounds.size());
  metric.histogram.sample_sum = lag.sum_seconds();
  return {metric};
}

Samples ByFamily(const PerFamily& values) {
  Samples samples;
  for (const Family family : kAllFamilies) {
    samples.push_back(
        Sample(static_cast<double>(values[static_cast<size_t>(family)]),
               {{"family", std::string(Info(family).name)}}));
  }
  return samples;
}

Samples ReadStateLoad(const Reading& sources) {
  Samples samples;
  if (!sources.state.enabled) return samples;
  const auto found = static_cast<size_t>(sources.state.load.load());
  for (size_t i = 0; i < kStateLoadNames.size(); ++i) {
    samples.push_back(Sample(i == found ? 1 : 0,
                             {{"result", std::string(kStateLoadNames[i])}}));
  }
  return samples;
}

Samples ReadHttp(const Reading& sources) {
  Samples samples;
  for (const auto& [key, count] : sources.http.Requests()) {
    const bool cut = key.second == HttpStats::kCut;
    const std::string code = cut ? "cut" : std::to_string(key.second);
    samples.push_back(Sample(static_cast<double>(count),
                             {{"handler", key.first}, {"code", code}}));
  }
  return samples;
}

// None without replicas.
template <typename Value>
Samples OfLease(const Reading& sources, Value value, Labels labels = {}) {
  if (!sources.replica.elects) return {};
  return {Sample(static_cast<double>(value), std::move(labels))};
}

// None without a history.
template <typename Value>
Samples OfHistory(const Reading& sources, Value value) {
  if (!sources.history_report) return {};
  return One(static_cast<double>(std::invoke(value, *sources.history_report)));
}

// One sample for each sink.
template <typename Value>
Samples BySink(const Reading& sources, Value value, Labels more = {}) {
  Samples samples;
  for (const SinkStatus& one : sources.sink_statuses) {
    Labels labels = {{"sink", one.name}, {"sink_type", std::string(one.type)}};
    labels.insert(labels.end(), more.begin(), more.end());
    samples.push_back(Sample(static_cast<double>(std::invoke(value, one)),
                             std::move(labels)));
  }
  return samples;
}

Samples ReadSinkDropped(const Reading& sources) {
  Samples samples =
      BySink(sources, &SinkStatus::dropped, {{"reason", "queue_full"}});
  const Samples refused =
      BySink(sources, &SinkStatus::refused, {{"reason", "refused"}});
  samples.insert(samples.end(), refused.begin(), refused.end());
  return samples;
}

constexpr OwnMetric kTable[] = {
    {{"kube_event_metrics_build_info", "gauge",
      "Always 1, with version, revision and compiler as labels."},
     ReadBuildInfo},
    {{"kube_event_metrics_external_url_info", "gauge",
      "Always 1, with the URL of --web.external-url as a label."},
     ReadExternalUrl},
    {{"kube_event_metrics_synced", "gauge",
      "Whether every watch has committed its first list, 1 or 0."},
     [](Sources s) { return One(s.synced() ? 1 : 0); }},
    {{"kube_event_metrics_lists_total", "counter",
      "Lists of Events, each of all its pages, by result."},
     [](Sources s) {
       return ByName("result", kListResultNames, s.session.lists);
     }},
    {{"kube_event_metrics_watches_total", "counter",
      "Watches that ended, by reason."},
     [](Sources s) {
       return ByName("reason", kWatchEndNames, s.session.watches);
     }},
    {{"kube_event_metrics_watch_events_total", "counter",
      "Watch events received, by type."},
     [](Sources s) {
       return ByName("type", kFrameTypeNames, s.session.frames);
     }},
    {{"kube_event_metrics_watch_events_dropped_total", "counter",
      "Watch events and list items that were not used, by reason."},
     [](Sources s) {
       return ByName("reason", kDropReasonNames, s.session.dropped);
     }},
    {{"kube_event_metrics_late_watch_events_total", "counter",
      "New Events whose watch event arrived 10 s or more after the API server "
      "created them, or not at all, although the watch was open."},
     [](Sources s) { return One(s.session.late_watch_events); }},
    {{"kube_event_metrics_resource_version_resets_total", "counter",
      "Times the resourceVersion went back, as after a restore of etcd."},
     [](Sources s) { return One(s.session.resource_version_resets); }},
    {{"kube_event_metrics_unobserved_seconds_total", "counter",
      "Time that no watch covered, only a list after it, in seconds."},
     [](Sources s) {
       return One(static_cast<double>(s.session.unobserved_millis.load()) /
                  1e3);
     }},
    {{"kube_event_metrics_event_lag_seconds", "histogram",
      "Time from an occurrence, by its writer's clock, until it is counted, "
      "in seconds."},
     ReadLag},
    {{"kube_event_metrics_tracked_events", "gauge",
      "Events that exist in the API server and are tracked."},
     [](Sources s) { return One(s.occurrences.tracked); }},
    {{"kube_event_metrics_tombstones", "gauge",
      "Deleted Events that are remembered so that they do not count twice."},
     [](Sources s) { return One(s.occurrences.tombstones); }},
    {{"kube_event_metrics_series", "gauge", "Series exposed, by family."},
     [](Sources s) { return ByFamily(s.series_counts.shown); }},
    {{"kube_event_metrics_series_overflow_total", "counter",
      "Occurrences counted in _overflow series because the family had "
      "--metrics.max-series, by family."},
     [](Sources s) { return ByFamily(s.series_counts.overflowed); }},
    {{"kube_event_metrics_state_load_result", "gauge",
      "1 for what the start found in --state.file, 0 for other results."},
     ReadStateLoad},
    {{"kube_event_metrics_state_saves_total", "counter",
      "Attempts to make the state durable, by a sync of the journal or by a "
      "snapshot, by result."},
     [](Sources s) {
       return s.state.enabled ? ByName("result", kStateSaveNames, s.state.saves)
                              : Samples();
     }},
    {{"kube_event_metrics_state_last_save_timestamp_seconds", "gauge",
      "Unix time of the last successful save of the state."},
     [](Sources s) {
       return s.state.enabled ? One(s.state.last_success_seconds) : Samples();
     }},
    {{"kube_event_metrics_state_bytes", "gauge",
      "Size of the last snapshot of the state in bytes."},
     [](Sources s) {
       return s.state.enabled ? One(s.state.bytes) : Samples();
     }},
    {{"kube_event_metrics_state_written_bytes_total", "counter",
      "Bytes written to --state.file, by file: journal or snapshot."},
     [](Sources s) {
       return s.state.enabled ? ByName("file", kStateFileNames, s.state.written)
                              : Samples();
     }},
    {{"kube_event_metrics_scope_decisions_total", "counter",
      "Scope decisions about objects of Events, by source."},
     [](Sources s) {
       return ByName("by", kScopeSourceNames, s.scopes.decisions);
     }},
    {{"kube_event_metrics_scope_conflicts_total", "counter",
      "Events that name a namespace for a cluster-scoped object, by whether "
      "the Event's own namespace is trusted."},
     [](Sources s) {
       return ByName("result", kClaimResultNames, s.occurrences.claims);
     }},
    {{"kube_event_metrics_discovery_refreshes_total", "counter",
      "Refreshes of the kinds that the API server serves, by result."},
     [](Sources s) {
       return ByName("result", kRefreshResultNames, s.scopes.refreshes);
     }},
    {{"kube_event_metrics_combined_occurrences_total", "counter",
      "Occurrences in \"(combined from similar events)\" Events."},
     [](Sources s) { return One(s.occurrences.combined); }},
    {{"kube_event_metrics_lower_bound_occurrences_total", "counter",
      "Occurrences counted as at least 1, because the Event's past is not "
      "known: there may have been more."},
     [](Sources s) { return One(s.occurrences.lower_bounds); }},
    {{"kube_event_metrics_filtered_occurrences_total", "counter",
      "Occurrences that the filters of the exporter excluded."},
     [](Sources s) { return One(s.occurrences.filtered); }},
    {{"kube_event_metrics_sink_delivered_total", "counter",
      "Occurrences delivered by the sink."},
     [](Sources s) { return BySink(s, &SinkStatus::delivered); }},
    {{"kube_event_metrics_sink_dropped_total", "counter",
      "Occurrences that the sink did not deliver, by reason."},
     ReadSinkDropped},
    {{"kube_event_metrics_sink_failures_total", "counter",
      "Failed delivery attempts of the sink."},
     [](Sources s) { return BySink(s, &SinkStatus::failed_attempts); }},
    {{"kube_event_metrics_sink_retries_total", "counter",
      "Delivery attempts of the sink after a failed one."},
     [](Sources s) { return BySink(s, &SinkStatus::retries); }},
    {{"kube_event_metrics_sink_connections_total", "counter",
      "Connections that the sink opened to its receiver."},
     [](Sources s) { return BySink(s, &SinkStatus::connections); }},
    {{"kube_event_metrics_sink_queued", "gauge",
      "Occurrences waiting for delivery."},
     [](Sources s) { return BySink(s, &SinkStatus::queued); }},
    {{"kube_event_metrics_sink_queued_bytes", "gauge",
      "Memory of occurrences waiting for delivery, in bytes."},
     [](Sources s) { return BySink(s, &SinkStatus::queued_bytes); }},
    {{"kube_event_metrics_sink_oldest_age_seconds", "gauge",
      "Age of the oldest occurrence waiting for delivery, by its writer's "
      "clock, in seconds; 0 when none waits."},
     [](Sources s) { return BySink(s, &SinkStatus::oldest_age_seconds); }},
    {{"kube_event_metrics_history_up", "gauge",
      "Whether the history can be written, 1 or 0."},
     [](Sources s) { return OfHistory(s, &HistoryReport::up); }},
    {{"kube_event_metrics_history_bytes", "gauge",
      "Size of the history's file and of its write-ahead log in bytes."},
     [](Sources s) { return OfHistory(s, &HistoryReport::bytes); }},
    {{"kube_event_metrics_history_events", "gauge", "Events in the history."},
     [](Sources s) { return OfHistory(s, &HistoryReport::events); }},
    {{"kube_event_metrics_history_oldest_timestamp_seconds", "gauge",
      "Unix time at which its oldest Event was received; 0 without one."},
     [](Sources s) { return OfHistory(s, &HistoryReport::oldest_seconds); }},
    {{"kube_event_metrics_history_put_aside_total", "counter",
      "Unusable files of the history that were renamed."},
     [](Sources s) { return OfHistory(s, &HistoryReport::put_aside); }},
    {{"kube_event_metrics_lease_leader", "gauge",
      "Whether this replica delivers to the sinks, 1 or 0."},
     [](Sources s) { return OfLease(s, s.replica.leads); }},
    {{"kube_event_metrics_lease_info", "gauge",
      "The replica that holds the Lease, empty for none; always 1."},
     [](Sources s) {
       return OfLease(s, 1, {{"holder", s.replica.holder}});
     }},
    {{"kube_event_metrics_lease_acquired_timestamp_seconds", "gauge",
      "Unix time at which the holder acquired the Lease."},
     [](Sources s) { return OfLease(s, s.replica.acquired_seconds()); }},
    {{"kube_event_metrics_lease_transitions", "gauge",
      "How often the Lease has passed to another replica."},
     [](Sources s) { return OfLease(s, s.replica.transitions); }},
    {{"kube_event_metrics_lease_failures_total", "counter",
      "Requests about the Lease that failed."},
     [](Sources s) { return OfLease(s, s.replica.failures); }},
    {{"kube_event_metrics_config_reloads_total", "counter",
      "Reloads of the configuration file, by result."},
     [](Sources s) {
       return ByName("result", kReloadResultNames, s.reloads.reloads);
     }},
    {{"kube_event_metrics_config_last_reload_successful", "gauge",
      "Whether the last reload of the configuration file succeeded, 1 or 0; "
      "1 before the first one."},
     [](Sources s) { return One(s.reloads.last_successful); }},
    {{"kube_event_metrics_config_last_reload_success_timestamp_seconds",
      "gauge", "Unix time at which the configuration in force was read."},
     [](Sources s) { return One(s.reloads.success_seconds()); }},
    {{"kube_event_metrics_http_requests_total", "counter",
      "Responses of the exporter's HTTP server, by handler and code; cut for "
      "those that ended early."},
     ReadHttp},
    {{"process_cpu_seconds_total", "counter",
      "Total user and system CPU time spent in seconds."},
     [](Sources s) { return One(s.process.cpu_seconds); }},
    {{"process_open_fds", "gauge", "Number of open file descriptors."},
     [](Sources s) { return One(s.process.open_fds); }},
    {{"process_max_fds", "gauge", "Maximum number of open file descriptors."},
     [](Sources s) { return One(s.process.max_fds); }},
    {{"process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."},
     [](Sources s) { return One(s.process.virtual_bytes); }},
    {{"process_resident_memory_bytes", "gauge",
      "Resident memory size in bytes."},
     [](Sources s) { return One(s.process.resident_bytes); }},
    {{"process_start_time_seconds", "gauge",
      "Start time of the process since unix epoch in seconds."},
     [](Sources s) { return One(s.process.start_time_seconds); }},
};

MetricType TypeOf(std::string_view type) {
  if (type == "counter") return MetricType::Counter;
  if (type == "histogram") return MetricType::Histogram;
  return MetricType::Gauge;
}

}  // namespace

void OwnMetrics::Render(std::string& out, const TextStyle& style) const {
  const Reading reading(sources_);
  std::vector<MetricFamily> families;
  for (const OwnMetric& metric : kTable) {
    Samples samples = metric.read(reading);
    if (samples.empty()) continue;
    if (style.open_metrics) {
      AppendHead(metric.info, style, out);
      AppendOpenMetrics(metric.info, samples,
                        style.created ? &sources_.started : nullptr, out);
      continue;
    }
    MetricFamily family;
    family.name = metric.info.name;
    family.help = metric.info.help;
    family.type = TypeOf(metric.info.type);
    family.metric = std::move(samples);
    families.push_back(std::move(family));
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  out.append(text.view());
}

std::vector<FamilyInfo> OwnMetricInfos() {
  std::vector<FamilyInfo> infos;
  for (const OwnMetric& metric : kTable) infos.push_back(metric.info);
  return infos;
}

}  // namespace kem

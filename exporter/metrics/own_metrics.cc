#include "metrics/own_metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "metrics/open_metrics.h"
#include "metrics/process_metrics.h"
#include "version.h"

namespace kem {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Samples = std::vector<ClientMetric>;
using Labels = std::vector<ClientMetric::Label>;

// What one scrape reads; the kernel is asked once.
struct Reading : MetricSources {
  explicit Reading(const MetricSources& sources)
      : MetricSources(sources),
        series_counts(series()),
        sink_statuses(sinks()),
        process(ReadProcess()) {}
  const SeriesCounts series_counts;
  const std::vector<SinkStatus> sink_statuses;
  const ProcessReadings process;
};

struct OwnMetric {
  FamilyInfo info;
  Samples (*read)(const Reading&);
};

// A counter's or a gauge's sample: the family's type picks the field.
ClientMetric Sample(double value, Labels labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  metric.gauge.value = value;
  return metric;
}

Samples One(double value) { return {Sample(value)}; }

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
    samples.push_back(
        Sample(static_cast<double>(count),
               {{"handler", key.first}, {"code", std::to_string(key.second)}}));
  }
  return samples;
}

// A sample a sink.
template <typename Value>
Samples BySink(const Reading& sources, Value value, Labels more = {}) {
  Samples samples;
  for (const SinkStatus& one : sources.sink_statuses) {
    Labels labels = {{"sink", one.name}, {"sink_type", std::string(one.type)}};
    labels.insert(labels.end(), more.begin(), more.end());
    samples.push_back(
        Sample(static_cast<double>(value(one)), std::move(labels)));
  }
  return samples;
}

Samples ReadSinkDropped(const Reading& sources) {
  Samples samples = BySink(sources, [](const auto& one) { return one.dropped; },
                           {{"reason", "queue_full"}});
  for (ClientMetric& refused :
       BySink(sources, [](const auto& one) { return one.refused; },
              {{"reason", "refused"}})) {
    samples.push_back(std::move(refused));
  }
  return samples;
}

using Sources = const Reading&;

constexpr OwnMetric kTable[] = {
    {{"kube_event_metrics_build_info", "gauge",
      "Always 1; the labels tell what was built."},
     ReadBuildInfo},
    {{"kube_event_metrics_synced", "gauge",
      "1 when the first list of every watch is committed; nothing is "
      "counted before. While it is 0 look at /readyz."},
     [](Sources s) { return One(s.synced() ? 1 : 0); }},
    {{"kube_event_metrics_lists_total", "counter",
      "Lists of all Events, by how they ended. Expired ones are normal on "
      "quiet clusters; forbidden ones need RBAC: list events."},
     [](Sources s) {
       return ByName("result", kListResultNames, s.session.lists);
     }},
    {{"kube_event_metrics_watches_total", "counter",
      "Watches, by why they ended. Clean ones are normal, one in 4 to 5 "
      "minutes; timeout means a load balancer or NAT drops connections."},
     [](Sources s) {
       return ByName("reason", kWatchEndNames, s.session.watches);
     }},
    {{"kube_event_metrics_watch_events_total", "counter",
      "Watch frames received, by type. When none come while the cluster is "
      "busy, look at /readyz; bookmarks come each minute."},
     [](Sources s) {
       return ByName("type", kFrameTypeNames, s.session.frames);
     }},
    {{"kube_event_metrics_watch_events_dropped_total", "counter",
      "Frames and list items not used. Replays and truncated ones lose "
      "nothing; malformed and oversize ones are worth a bug report."},
     [](Sources s) {
       return ByName("reason", kDropReasonNames, s.session.dropped);
     }},
    {{"kube_event_metrics_resource_version_resets_total", "counter",
      "Times the resourceVersion went back, as after restoring etcd: "
      "counting began anew from what the API server has."},
     [](Sources s) {
       return One(
           static_cast<double>(s.session.resource_version_resets.load()));
     }},
    {{"kube_event_metrics_unobserved_seconds_total", "counter",
      "Time that only a list bridged: Events that came and went within it "
      "are not counted. Grows when the API server is away or compacts."},
     [](Sources s) {
       return One(static_cast<double>(s.session.unobserved_millis.load()) /
                  1e3);
     }},
    {{"kube_event_metrics_event_lag_seconds", "histogram",
      "From an occurrence, by its writer's clock, to its being counted. "
      "events.k8s.io writers report repeats 6 to 30 minutes late; when the "
      "rest is late, compare clocks, then look at unobserved seconds."},
     ReadLag},
    {{"kube_event_metrics_tracked_events", "gauge",
      "Events that exist and are remembered, 64 bytes each. As many as the "
      "API server keeps: its --event-ttl and busy writers raise it."},
     [](Sources s) {
       return One(static_cast<double>(s.occurrences.tracked.load()));
     }},
    {{"kube_event_metrics_tombstones", "gauge",
      "Events that are gone and remembered, so that they are not counted "
      "twice when their writer writes them again. 64 bytes each, a million "
      "at most; past that the oldest are forgotten."},
     [](Sources s) {
       return One(static_cast<double>(s.occurrences.tombstones.load()));
     }},
    {{"kube_event_metrics_series", "gauge",
      "Series shown, by family. When one comes near --metrics.max-series, "
      "raise that or filter."},
     [](Sources s) { return ByFamily(s.series_counts.shown); }},
    {{"kube_event_metrics_series_overflow_total", "counter",
      "Occurrences counted in series that say _overflow, as the family had "
      "--metrics.max-series. Raise that, or filter what makes up labels."},
     [](Sources s) { return ByFamily(s.series_counts.overflowed); }},
    {{"kube_event_metrics_state_load_result", "gauge",
      "1 for what the start found in --state.file. After unusable counting "
      "began anew: the log tells why, and where the file was put aside."},
     ReadStateLoad},
    {{"kube_event_metrics_state_saves_total", "counter",
      "Times the state was to be written. While failed grows a restart "
      "forgets what was counted since: /readyz tells why."},
     [](Sources s) {
       return s.state.enabled ? ByName("result", kStateSaveNames, s.state.saves)
                              : Samples();
     }},
    {{"kube_event_metrics_state_last_save_timestamp_seconds", "gauge",
      "When the state was last written, in Unix time. Stays when nothing "
      "happens; when it stays while frames arrive look at /readyz."},
     [](Sources s) {
       return s.state.enabled ? One(static_cast<double>(
                                    s.state.last_success_seconds.load()))
                              : Samples();
     }},
    {{"kube_event_metrics_state_bytes", "gauge",
      "Size of the last state written. The volume needs three times as "
      "much."},
     [](Sources s) {
       return s.state.enabled ? One(static_cast<double>(s.state.bytes.load()))
                              : Samples();
     }},
    {{"kube_event_metrics_scope_decisions_total", "counter",
      "How the scope of an object was decided. Inferred ones rest on the "
      "Event's word: the kind is unknown to the API server."},
     [](Sources s) {
       return ByName("by", kScopeSourceNames, s.scopes.decisions);
     }},
    {{"kube_event_metrics_scope_conflicts_total", "counter",
      "Events that name a namespace for a cluster-scoped object. They "
      "count as cluster-scoped; their writer should be mended."},
     [](Sources s) {
       return One(static_cast<double>(s.scopes.conflicts.load()));
     }},
    {{"kube_event_metrics_discovery_refreshes_total", "counter",
      "Times the API server was asked which kinds it serves. When failed "
      "grows, grant system:discovery."},
     [](Sources s) {
       return ByName("result", kRefreshResultNames, s.scopes.refreshes);
     }},
    {{"kube_event_metrics_combined_occurrences_total", "counter",
      "Occurrences in \"(combined from similar events)\" Events, of which "
      "the messages differed. Their count is right; what was meant is in "
      "the messages only."},
     [](Sources s) {
       return One(static_cast<double>(s.occurrences.combined.load()));
     }},
    {{"kube_event_metrics_filtered_occurrences_total", "counter",
      "Occurrences that a filter held back. Those that the API server was "
      "asked to leave out are not among them; to count more, widen --kinds "
      "and its like."},
     [](Sources s) {
       return One(static_cast<double>(s.occurrences.filtered.load()));
     }},
    {{"kube_event_metrics_sink_delivered_total", "counter",
      "Occurrences that a sink of `sinks` has passed on. While it stands "
      "and queued does not fall, the log tells why."},
     [](Sources s) {
       return BySink(s, [](const auto& one) { return one.delivered; });
     }},
    {{"kube_event_metrics_sink_dropped_total", "counter",
      "Occurrences that a sink lost: queue_full ones made room for newer "
      "ones, so mend the receiver or raise queue-entries or queue-bytes; "
      "refused "
      "ones the receiver will never take, the log tells why."},
     ReadSinkDropped},
    {{"kube_event_metrics_sink_failures_total", "counter",
      "Attempts at passing on that failed. Nothing is lost while the queue "
      "has room; the log tells the first of a row, and why."},
     [](Sources s) {
       return BySink(s, [](const auto& one) { return one.failed_attempts; });
     }},
    {{"kube_event_metrics_sink_retries_total", "counter",
      "Attempts that were made anew after a failed one."},
     [](Sources s) {
       return BySink(s, [](const auto& one) { return one.retries; });
     }},
    {{"kube_event_metrics_sink_queued", "gauge",
      "Occurrences that wait for a sink, queue-entries at most. They are "
      "in the state, and pass on after a restart."},
     [](Sources s) {
       return BySink(s, [](const auto& one) { return one.queued; });
     }},
    {{"kube_event_metrics_sink_queued_bytes", "gauge",
      "Memory of what waits for a sink, queue-bytes at most."},
     [](Sources s) {
       return BySink(s, [](const auto& one) { return one.queued_bytes; });
     }},
    {{"kube_event_metrics_sink_oldest_age_seconds", "gauge",
      "How long ago the oldest occurrence happened that waits for a sink, "
      "by its writer's clock; 0 when none waits."},
     [](Sources s) {
       return BySink(s, [](const auto& one) {
         return std::chrono::duration<double>(one.oldest_age).count();
       });
     }},
    {{"kube_event_metrics_config_reloads_total", "counter",
      "Reloads of the file of --config.file. When failure grows, the log says "
      "which line is wrong."},
     [](Sources s) {
       return ByName("result", kReloadResultNames, s.reloads.reloads);
     }},
    {{"kube_event_metrics_config_last_reload_successful", "gauge",
      "1 unless the last reload failed: then the configuration before it is in "
      "force, and the log says what to mend."},
     [](Sources s) { return One(s.reloads.last_successful ? 1 : 0); }},
    {{"kube_event_metrics_config_last_reload_success_timestamp_seconds",
      "gauge",
      "When the configuration in force was read. Older than your last change "
      "of the file: reload."},
     [](Sources s) {
       return One(static_cast<double>(s.reloads.success_micros.load()) / 1e6);
     }},
    {{"kube_event_metrics_http_requests_total", "counter",
      "Answers of the exporter's own HTTP server. Codes from 400 on are "
      "clients to be mended; from 500 on look at the log."},
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

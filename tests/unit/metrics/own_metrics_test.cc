#include "metrics/own_metrics.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "testing/scoped_locale.h"

namespace kem {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OwnMetricsTest : public ::testing::Test {
 protected:
  std::string Render() {
    std::string out;
    own.Render(out);
    return out;
  }

  SessionStats session;
  OccurrenceStats occurrences;
  ScopeStats scopes;
  HttpStats http;
  ReloadStats reloads;
  StateStats state;
  bool synced = false;
  std::vector<SinkStatus> sinks;
  ReplicaStatus replica;
  std::optional<HistoryReport> history;
  OwnMetrics own = Linked("");

  OwnMetrics Linked(std::string url) {
    return OwnMetrics(
        {session, occurrences, scopes, http, reloads, state,
         [] {
           return SeriesCounts{{10, 20, 30, 40}, {50, 60, 70, 80}};
         },
         [this] { return synced; }, [this] { return sinks; },
         [this] { return replica; }, [this] { return history; },
         WallTime(std::chrono::milliseconds(1700000000500)), std::move(url)});
  }
};

TEST_F(OwnMetricsTest, EveryStatMovesItsSample) {
  session.Count(ListResult::kExpired);
  session.Count(WatchEnd::kTruncated);
  session.Count(DropReason::kOversize);
  session.frames[1] = 7;
  session.resource_version_resets = 2;
  session.unobserved_millis = 1500;
  occurrences.tracked = 11;
  occurrences.tombstones = 12;
  occurrences.combined = 13;
  occurrences.filtered = 18;
  occurrences.lower_bounds = 19;
  session.late_watch_events = 20;
  scopes.decisions[1] = 14;
  occurrences.claims[0] = 15;
  occurrences.claims[1] = 19;
  scopes.refreshes[2] = 16;
  http.Count("/metrics", 200);
  http.Count("/", HttpStats::kCut);
  http.Count("/", HttpStats::kCut);
  reloads.Count(ReloadResult::kFailure);
  reloads.NoteSuccess(WallTime(std::chrono::milliseconds(19500)));
  reloads.last_successful = false;
  synced = true;
  state.enabled = true;
  state.load = StateLoad::kUnusable;
  state.saves[1] = 17;
  state.last_success_seconds = 1795428466;
  state.bytes = 18;
  state.written[1] = 36;
  const std::string text = Render();
  const std::string p = "\nkube_event_metrics_";
  for (const char* sample :
       {"lists_total{result=\"expired\"} 1\n",
        "lists_total{result=\"success\"} 0\n",
        "watches_total{reason=\"truncated\"} 1\n",
        "watch_events_dropped_total{reason=\"oversize\"} 1\n",
        "watch_events_total{type=\"MODIFIED\"} 7\n",
        "resource_version_resets_total 2\n",
        "unobserved_seconds_total 1.5\n",
        "tracked_events 11\n",
        "tombstones 12\n",
        "combined_occurrences_total 13\n",
        "filtered_occurrences_total 18\n",
        "lower_bound_occurrences_total 19\n",
        "late_watch_events_total 20\n",
        "config_reloads_total{result=\"failure\"} 1\n",
        "config_reloads_total{result=\"success\"} 0\n",
        "config_last_reload_successful 0\n",
        "config_last_reload_success_timestamp_seconds 19.5\n",
        "scope_decisions_total{by=\"table\"} 14\n",
        "scope_conflicts_total{result=\"trusted\"} 15\n",
        "scope_conflicts_total{result=\"untrusted\"} 19\n",
        "discovery_refreshes_total{result=\"failed\"} 16\n",
        "http_requests_total{handler=\"/metrics\",code=\"200\"} 1\n",
        "http_requests_total{handler=\"/\",code=\"cut\"} 2\n",
        "series{family=\"kube_event_active\"} 40\n",
        "series_overflow_total{family=\"kube_event_occurrences_total\"} 50\n",
        "state_load_result{result=\"loaded\"} 0\n",
        "state_load_result{result=\"unusable\"} 1\n",
        "state_saves_total{result=\"failed\"} 17\n",
        "state_last_save_timestamp_seconds 1795428466\n",
        "state_bytes 18\n",
        "state_written_bytes_total{file=\"journal\"} 0\n",
        "state_written_bytes_total{file=\"snapshot\"} 36\n",
        "synced 1\n"}) {
    EXPECT_THAT(text, HasSubstr(p + sample));
  }
  EXPECT_THAT(text, HasSubstr("kube_event_metrics_build_info{version=\""));
}

TEST_F(OwnMetricsTest, HasTheUrlOfLinksOnlyIfItIsKnown) {
  EXPECT_THAT(Render(), Not(HasSubstr("external_url_info")));
  const OwnMetrics linked = Linked("https://events.example.com/x");
  std::string out;
  linked.Render(out);
  EXPECT_THAT(out, HasSubstr("\nkube_event_metrics_external_url_info{url="
                             "\"https://events.example.com/x\"} 1\n"));
}

TEST_F(OwnMetricsTest, SaysNothingOfAStateThatIsNotKept) {
  EXPECT_EQ(Render().find("kube_event_metrics_state_"), std::string::npos);
}

TEST_F(OwnMetricsTest, NamesTheReplicaThatDelivers) {
  EXPECT_THAT(Render(), Not(HasSubstr("_lease_")));
  replica = {.elects = true,
             .leads = true,
             .holder = "a\"b",
             .acquired = WallTime(std::chrono::milliseconds(1700000000500)),
             .transitions = 4,
             .failures = 5};
  const std::string text = Render();
  for (const std::string sample :
       {"lease_leader 1\n", "lease_info{holder=\"a\\\"b\"} 1\n",
        "lease_acquired_timestamp_seconds 1700000000.5\n",
        "lease_transitions 4\n", "lease_failures_total 5\n"}) {
    EXPECT_THAT(text, HasSubstr("\nkube_event_metrics_" + sample));
  }
}

TEST_F(OwnMetricsTest, ShowsTheHistory) {
  EXPECT_THAT(Render(), Not(HasSubstr("_history_")));
  history = {.bytes = 5,
             .events = 6,
             .oldest = WallTime(std::chrono::milliseconds(1700000000500)),
             .put_aside = 7};
  std::string text = Render();
  for (const std::string sample :
       {"history_up 1\n", "history_bytes 5\n", "history_events 6\n",
        "history_oldest_timestamp_seconds 1700000000.5\n",
        "history_put_aside_total 7\n"}) {
    EXPECT_THAT(text, HasSubstr("\nkube_event_metrics_" + sample));
  }
  history->problem = "the disk is full";
  EXPECT_THAT(Render(), HasSubstr("\nkube_event_metrics_history_up 0\n"));
}

TEST_F(OwnMetricsTest, TellsOfEachSink) {
  EXPECT_THAT(Render(), Not(HasSubstr("_sink_")));
  sinks = {{.name = "a",
            .type = "log",
            .delivered = 1,
            .refused = 2,
            .failed_attempts = 3,
            .retries = 4,
            .connections = 9,
            .dropped = 5,
            .queued = 6,
            .queued_bytes = 7,
            .oldest_age = std::chrono::milliseconds(8500)},
           {.name = "b", .type = "annotate"}};
  const std::string text = Render();
  for (const std::string sample :
       {"sink_delivered_total{sink=\"a\",sink_type=\"log\"} 1\n",
        R"(sink_dropped_total{sink="a",sink_type="log",reason="queue_full"} 5)",
        R"(sink_dropped_total{sink="a",sink_type="log",reason="refused"} 2)",
        "sink_failures_total{sink=\"a\",sink_type=\"log\"} 3\n",
        "sink_retries_total{sink=\"a\",sink_type=\"log\"} 4\n",
        "sink_connections_total{sink=\"a\",sink_type=\"log\"} 9\n",
        "sink_queued{sink=\"a\",sink_type=\"log\"} 6\n",
        "sink_queued_bytes{sink=\"a\",sink_type=\"log\"} 7\n",
        "sink_oldest_age_seconds{sink=\"a\",sink_type=\"log\"} 8.5\n",
        "sink_oldest_age_seconds{sink=\"b\",sink_type=\"annotate\"} 0\n"}) {
    EXPECT_THAT(text, HasSubstr("\nkube_event_metrics_" + sample));
  }
}

TEST_F(OwnMetricsTest, LagIsACumulativeHistogram) {
  occurrences.lag.Observe(std::chrono::milliseconds(50));
  occurrences.lag.Observe(std::chrono::seconds(7));
  occurrences.lag.Observe(std::chrono::hours(2));
  occurrences.lag.Observe(std::chrono::seconds(-3));
  const std::string text = Render();
  const std::string p = "\nkube_event_metrics_event_lag_seconds_";
  for (const char* sample :
       {"bucket{le=\"0.1\"} 2\n", "bucket{le=\"5\"} 2\n",
        "bucket{le=\"10\"} 3\n", "bucket{le=\"1800\"} 3\n",
        "bucket{le=\"+Inf\"} 4\n", "count 4\n", "sum 7207.05\n"}) {
    EXPECT_THAT(text, HasSubstr(p + sample));
  }
}

TEST_F(OwnMetricsTest, TellsOfItsOwnProcess) {
  const std::string text = Render();
  for (const std::string name :
       {"process_cpu_seconds_total", "process_open_fds", "process_max_fds",
        "process_virtual_memory_bytes", "process_resident_memory_bytes",
        "process_start_time_seconds"}) {
    const size_t at = text.find("\n" + name + " ");
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_NE(text.substr(at + name.size() + 2, 2), "0\n") << name;
  }
}

TEST_F(OwnMetricsTest, EveryFamilyHasHelpAndTypeEvenUnderAGermanLocale) {
  http.Count("/", 200);
  sinks.resize(1);
  replica.elects = true;
  history.emplace();
  const ScopedGermanLocale german;
  state.enabled = true;
  session.unobserved_millis = 1234500;
  std::string text;
  Linked("https://events.example.com").Render(text);
  for (const FamilyInfo& info : OwnMetricInfos()) {
    EXPECT_THAT(text, HasSubstr("# HELP " + std::string(info.name) + " "));
    EXPECT_THAT(text, HasSubstr("# TYPE " + std::string(info.name) + " " +
                                std::string(info.type) + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("unobserved_seconds_total 1234.5\n"));
  EXPECT_THAT(text, Not(HasSubstr(",5\n")));
}

TEST_F(OwnMetricsTest, OpenMetricsHasTheSameSamplesUnderItsOwnNames) {
  session.unobserved_millis = 1234500;
  occurrences.lag.Observe(std::chrono::milliseconds(700));
  http.Count("/metrics", 200);
  const ScopedGermanLocale german;
  std::string text;
  own.Render(text, {true, false});
  for (const char* part :
       {"# HELP kube_event_metrics_unobserved_seconds Time that ",
        "# TYPE kube_event_metrics_unobserved_seconds counter\n"
        "# UNIT kube_event_metrics_unobserved_seconds seconds\n"
        "kube_event_metrics_unobserved_seconds_total 1234.5\n",
        "# UNIT process_resident_memory_bytes bytes\n",
        "kube_event_metrics_event_lag_seconds_bucket{le=\"0.5\"} 0\n",
        "kube_event_metrics_event_lag_seconds_bucket{le=\"1.0\"} 1\n",
        "kube_event_metrics_event_lag_seconds_bucket{le=\"+Inf\"} 1\n",
        "kube_event_metrics_event_lag_seconds_count 1\n"
        "kube_event_metrics_event_lag_seconds_sum 0.7\n",
        "Occurrences in \\\"(combined from similar events)\\\" Events",
        "kube_event_metrics_http_requests_total{handler=\"/metrics\",code="
        "\"200\"} 1\n",
        "kube_event_metrics_synced 0\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("_created")));
  EXPECT_EQ(text.find("# HELP kube_event_metrics_unobserved_seconds_total"),
            std::string::npos);
}

TEST_F(OwnMetricsTest, OpenMetricsTellsSinceWhenItCountsWhenAsked) {
  http.Count("/metrics", 200);
  std::string text;
  own.Render(text, {true, true});
  for (const char* part :
       {"\nkube_event_metrics_unobserved_seconds_created 1700000000.5\n",
        "\nkube_event_metrics_event_lag_seconds_created 1700000000.5\n",
        "\nkube_event_metrics_http_requests_created{handler=\"/metrics\","
        "code=\"200\"} 1700000000.5\n"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("synced_created")));
}

TEST(ProcessMetricsTest, ReadsThisProcess) {
  const ProcessReadings readings = ReadProcess();
  EXPECT_GT(readings.open_fds, 2);
  EXPECT_GE(readings.max_fds, readings.open_fds);
  EXPECT_GT(readings.resident_bytes, 1e6);
  EXPECT_GE(readings.virtual_bytes, readings.resident_bytes);
  EXPECT_GT(readings.start_time_seconds, 1.6e9);
  EXPECT_GE(readings.cpu_seconds, 0);
}

}  // namespace
}  // namespace kem

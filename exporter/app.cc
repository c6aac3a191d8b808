#include "app.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "apiserver/httplib_transport.h"
#include "base/log.h"
#include "base/startup_memory.h"
#include "events/discovery.h"
#include "metrics/exposition.h"
#include "metrics/negotiation.h"
#include "page/page.h"
#include "pipeline/watch.h"
#include "sinks/sink_factory.h"
#include "sinks/sink_runner.h"
#include "state/kept_state.h"
#include "version.h"
#include "web/http_server.h"

namespace kem {
namespace {

// SIGTERM to exit: 12 s are promised, two of them are for the HTTP server.
constexpr std::chrono::seconds kStopLimit{10};

// Ends the process when it is still there after `limit`.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds limit)
      : thread_([limit](std::stop_token disarmed) {
          if (!RealClock().SleepFor(limit, disarmed)) return;
          LogWarn("A thread could not be interrupted; exiting without it", {});
          ::_exit(0);
        }) {}

 private:
  std::jthread thread_;
};

// The names of the watches: one for the whole cluster, else one a namespace.
std::vector<std::string> WatchNames(const Options& options) {
  if (options.namespaces.empty()) return {""};
  return options.namespaces;
}

// Everything that runs, in the order in which it needs one another.
class App {
 public:
  // All must outlive this. `state` is open and not started.
  App(const Options& options, ApiAccess access, KeptState& state, Clock& clock,
      Reloader::Parse parse);
  ~App() {
    sink_runner_.Stop();
    state_.Stop();
  }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Returns the process's exit code.
  int Run(const TerminationSignals& signals);

 private:
  void SetFilter(const FilterOptions& options);
  void SetSinks(const std::vector<SinkConfig>& sinks);
  Scrape StartScrape(const std::string& accept);
  PageData Page();
  HttpContent Content();

  const Options& options_;
  KeptState& state_;
  Clock& clock_;
  const SteadyTime started_ = clock_.SteadyNow();
  HttplibTransport transport_;
  const Discovery discovery_;
  EventWorld world_;
  HttpStats http_stats_;
  ReloadStats reload_stats_;
  std::stop_source stop_;
  Watches watches_;
  SinkRunner sink_runner_;
  Reloader reloader_;
  const OwnMetrics own_;
};

App::App(const Options& options, ApiAccess access, KeptState& state,
         Clock& clock, Reloader::Parse parse)
    : options_(options),
      state_(state),
      clock_(clock),
      transport_(std::move(access)),
      discovery_(transport_, clock),
      world_(discovery_, clock, options.retention, state.ledger()),
      sink_runner_(state.ledger(), clock,
                   MakeSinkFactory(transport_, discovery_, clock),
                   [&state] { state.Flush(); }),
      reloader_(options, std::move(parse),
                {[this](const auto& filter) { SetFilter(filter); },
                 [this](const auto& sinks) { SetSinks(sinks); }},
                clock, reload_stats_),
      own_({world_.session, world_.occurrences, world_.scopes.stats(),
            http_stats_, reload_stats_, state.stats(),
            [this] {
              const std::lock_guard guard(world_.mutex);
              return world_.ledger.series().Counts();
            },
            [this] { return AllSynced(watches_); },
            [this] { return sink_runner_.Statuses(); }, clock.WallNow()}) {
  const std::vector<std::string> names = WatchNames(options);
  world_.filter = std::make_shared<const EventFilter>(options.filter);
  // Recorders put the Events of cluster-scoped objects into "default".
  world_.preset_reasons =
      options.namespaces.empty() ||
      std::find(names.begin(), names.end(), "default") != names.end();
  for (const std::string& name : names) {
    watches_.push_back(std::make_unique<Watch>(name, options.watch_timeout,
                                               transport_, world_, clock,
                                               stop_.get_token()));
  }
  world_.wake_sinks = [this] { sink_runner_.Wake(); };
  SetSinks(options.sinks);
  state_.Start([this] {
    for (const auto& watch : watches_) watch->NoteContact(clock_.SteadyNow());
  });
}

void App::SetSinks(const std::vector<SinkConfig>& sinks) {
  for (const SinkConfig& sink : sinks) {
    if (sink.type != SinkType::kAnnotate || !options_.state_file.empty()) {
      continue;
    }
    LogWarn("Without --state.file a restart forgets which labels to take off",
            {{"sink", sink.queue.name}});
  }
  sink_runner_.Set(sinks, [this](SinkRunner::Filters filters) {
    world_.sink_filters.swap(filters);
  });
}

void App::SetFilter(const FilterOptions& options) {
  auto filter = std::make_shared<const EventFilter>(options);
  {
    const std::lock_guard guard(world_.mutex);
    world_.filter.swap(filter);
  }
  for (const auto& watch : watches_) watch->RequestList();
}

Scrape App::StartScrape(const std::string& accept) {
  const TextStyle style{PrefersOpenMetrics(accept),
                        options_.created_timestamps};
  auto exposition = std::make_shared<Exposition>(
      world_.mutex, world_.ledger.series(), own_, clock_, style);
  return Scrape{ContentType(style.open_metrics),
                [exposition, this](std::string& out) {
                  const bool more = exposition->Next(out);
                  // Nobody may see what a crash would take back.
                  state_.Flush();
                  return more;
                }};
}

PageData App::Page() {
  PageData data;
  data.version = kVersion;
  data.telemetry_path = options_.telemetry_path;
  data.now = clock_.WallNow();
  data.uptime = std::chrono::duration_cast<std::chrono::seconds>(
      clock_.SteadyNow() - started_);
  for (const auto& watch : watches_) {
    const ReflectorHealth state = watch->Health();
    data.watches.push_back(
        {watch->name(), state.synced, state.in_contact, state.problem});
  }
  data.namespaces = options_.namespaces;
  data.tracked = world_.occurrences.tracked;
  const std::lock_guard guard(world_.mutex);
  data.recent = world_.recent.Newest(data.now);
  data.filtered = world_.filter->options() != FilterOptions();
  data.cluster_scoped = world_.filter->options().cluster_scoped;
  return data;
}

HttpContent App::Content() {
  HttpContent content;
  content.scrape = [this](const std::string& accept) {
    return StartScrape(accept);
  };
  content.page = [this] { return RenderPage(Page()); };
  content.reload = [this] { return reloader_.Reload(); };
  content.livez = [this] { return LiveHealth(watches_, clock_.SteadyNow()); };
  content.readyz = [this] { return ReadyHealth(watches_, state_.stats()); };
  return content;
}

int App::Run(const TerminationSignals& signals) {
  Result<std::unique_ptr<HttpServer>> server =
      HttpServer::Start({options_.listen_address,
                         options_.telemetry_path,
                         options_.web_config_file,
                         {}},
                        Content(), http_stats_);
  if (!server) {
    LogError("Cannot serve", {{"error", server.error().message}});
    return 1;
  }
  LogInfo("Listening on", {{"address", (*server)->address()}});

  std::vector<std::jthread> threads;
  for (const auto& watch : watches_) {
    threads.emplace_back(
        [&watch, token = stop_.get_token()] { watch->Run(token); });
  }
  ReleaseStartupPages();
  int signal = signals.Wait();
  for (; signal == SIGHUP; signal = signals.Wait()) reloader_.Reload();
  LogInfo("Stopping", {{"signal", signal}});
  const Deadline deadline(kStopLimit);
  stop_.request_stop();
  threads.clear();
  sink_runner_.Stop();
  state_.Stop();
  server->reset();
  return 0;
}

}  // namespace

int RunApp(const Options& options, ApiAccess access,
           const TerminationSignals& signals, Reloader::Parse parse) {
  LogInfo("Starting kube-event-metrics",
          {{"version", kVersion},
           {"revision", kRevision},
           {"apiserver", access.server.ToString()},
           {"access", access.origin}});
  RealClock clock;
  const Result<std::unique_ptr<KeptState>> state =
      KeptState::Open({options.state_file,
                       access.server.ToString(),
                       options.state_interval,
                       {}},
                      {options.initial_zero, options.max_series,
                       options.retention, options.exemplars},
                      WatchNames(options), clock);
  if (!state) {
    LogError("Cannot start", {{"error", state.error().message}});
    return 1;
  }
  return App(options, std::move(access), **state, clock, std::move(parse))
      .Run(signals);
}

}  // namespace kem

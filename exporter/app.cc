#include "app.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "apiserver/api_transport.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/start_thread.h"
#include "base/startup_memory.h"
#include "endpoints/endpoints.h"
#include "events/discovery.h"
#include "history/current_history.h"
#include "net/resolver.h"
#include "pipeline/event_watcher.h"
#include "replicas/elector.h"
#include "sinks/sink_runner.h"
#include "state/kept_state.h"
#include "version.h"

namespace kem {
namespace {

// From SIGTERM to the exit: 12 s are promised, 2 s of them for the HTTP server.
constexpr std::chrono::seconds kStopLimit{10};
// For the sinks, so that the state is still saved when one hangs.
constexpr std::chrono::seconds kSinkStopLimit{5};
// For the first scrape, to catch up with what an earlier process exposed.
constexpr std::chrono::seconds kCatchUpLimit{10};
// All HTTP clients wait meanwhile, once for each reload.
constexpr std::chrono::seconds kReloadPatience{1};

// Ends the process after kStopLimit, unless a stop is requested before.
void ExitAfterLimit(std::stop_token stop) {
  if (!RealClock().SleepFor(kStopLimit, std::move(stop))) return;
  LogWarn("A thread does not stop, exiting without it",
          {{"waited_seconds", kStopLimit.count()}});
  ::_exit(0);
}

// The collections to watch: all Events, or one a namespace.
std::vector<std::string> CollectionNames(const Options& options) {
  if (options.namespaces.empty()) return {""};
  return options.namespaces;
}

// Null without replicas. The host's name is the Pod's, and also that of the
// container before.
std::unique_ptr<Elector> MakeElector(const Options& options,
                                     HttpTransport& transport, Clock& clock) {
  if (!options.lease) return nullptr;
  return std::make_unique<Elector>(
      transport, *options.lease,
      HostName() + "_" + std::to_string(std::random_device()()), clock);
}

// Everything that runs. A member needs only those before it.
class App {
 public:
  // All must outlive this. `state` is open and not started.
  App(const Options& options, ServerAccess access, KeptState& state,
      Clock& clock, Reloader::Parse parse);
  ~App() { state_.Stop(); }
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  // Returns the process's exit code.
  int Run(const TerminationSignals& signals);

 private:
  void SetFilter(const FilterOptions& options);
  Result<void> SetSinks(const std::vector<SinkConfig>& sinks);
  Result<void> StartWatches();
  Result<void> StartElector();
  // Ends what runs; returns `code`, or exits with it when a sink hangs.
  int Stop(int code, std::unique_ptr<HttpServer> server);
  HttpContent Content();
  Health CanScrape();

  std::jthread deadline_;  // first, so that it ends last
  const Options& options_;
  KeptState& state_;
  Clock& clock_;
  const SteadyTime started_;
  Resolver resolver_;
  ApiTransport transport_;
  const Discovery discovery_;
  EventWorld world_;
  HttpStats http_stats_;
  ReloadStats reload_stats_;
  std::stop_source stop_;
  EventWatchers watchers_;
  std::vector<std::jthread> watches_;  // one for each watcher
  const std::unique_ptr<HttpTransport> lease_transport_;
  CurrentHistory history_;
  const std::unique_ptr<Elector> elector_;  // null without replicas
  std::jthread elections_;
  SinkRunner sink_runner_;
  Reloader reloader_;
  const OwnMetrics own_;
};

App::App(const Options& options, ServerAccess access, KeptState& state,
         Clock& clock, Reloader::Parse parse)
    : options_(options),
      state_(state),
      clock_(clock),
      started_(clock.SteadyNow()),
      transport_(std::move(access), resolver_),
      discovery_(transport_, clock),
      world_(discovery_, clock, options.retention, state.ledger()),
      lease_transport_(transport_.Keeping(clock)),
      history_(clock),
      elector_(MakeElector(options, *lease_transport_, clock)),
      sink_runner_(state.ledger(), clock,
                   MakeSinkFactory(transport_, discovery_, resolver_,
                                   history_.status(), clock),
                   {[&state] { state.Flush(); }, elector_.get(),
                    !options.namespaces.empty()}),
      reloader_(options, std::move(parse),
                {[this](const auto& filter) { SetFilter(filter); },
                 [this](const auto& sinks) { return SetSinks(sinks); }},
                clock, reload_stats_),
      own_({world_.session, world_.occurrences, world_.scopes.stats(),
            http_stats_, reload_stats_, state.stats(),
            [this] {
              const std::lock_guard guard(world_.mutex);
              return world_.ledger.series().Counts();
            },
            [this] { return AllSynced(watchers_); },
            [this] { return sink_runner_.Statuses(); },
            [this] { return elector_ ? elector_->Status() : ReplicaStatus(); },
            [this] { return history_.Report(); }, clock.WallNow(),
            options.external_url}) {
  const std::vector<std::string> names = CollectionNames(options);
  world_.filter = std::make_shared<const EventFilter>(options.filter);
  // Recorders put Events of cluster-scoped objects into "default".
  world_.preset_reasons =
      options.namespaces.empty() ||
      std::find(names.begin(), names.end(), "default") != names.end();
  for (const std::string& name : names) {
    watchers_.push_back(
        std::make_unique<EventWatcher>(name, options.watch_timeout, transport_,
                                       world_, clock, stop_.get_token()));
  }
  world_.wake_sinks = [this] { sink_runner_.Wake(); };
  // Before Run starts the threads of the sinks, which flush the state.
  state_.Start([this] {
    for (const auto& watcher : watchers_)
      watcher->NoteContact(clock_.SteadyNow());
  });
}

Result<void> App::SetSinks(const std::vector<SinkConfig>& sinks) {
  for (const SinkConfig& sink : sinks) {
    if (sink.type != SinkType::kAnnotate || !options_.state_file.empty()) {
      continue;
    }
    LogWarn("No --state.file: a restart forgets which labels to remove",
            {{"sink", sink.queue.name}});
  }
  const auto history = std::find_if(
      sinks.begin(), sinks.end(),
      [](const auto& sink) { return sink.type == SinkType::kHistory; });
  // Before the sink reports how it is.
  const CurrentHistory::Path former = history_.Set(
      history == sinks.end() ? std::nullopt : std::optional(history->path));
  Result<void> set =
      sink_runner_.Set(sinks, [this](SinkRunner::Filters filters) {
        world_.sink_filters.swap(filters);
      });
  if (!set) history_.Set(former);
  return set;
}

void App::SetFilter(const FilterOptions& options) {
  auto filter = std::make_shared<const EventFilter>(options);
  {
    const std::lock_guard guard(world_.mutex);
    world_.filter.swap(filter);
  }
  for (const auto& watcher : watchers_) watcher->RequestList();
}

// What was counted while the disk failed is not in the state when the process
// is then killed. Only the API server still has it, and a counter that is
// exposed before the watches have brought it again would fall: for Prometheus a
// reset.
Health App::CanScrape() {
  if (!state_.stats().may_be_behind) return {true, ""};
  const SteadyTime now = clock_.SteadyNow();
  if (now - started_ < kCatchUpLimit && !AllCaughtUp(watchers_, now)) {
    return {false, "catching up after the restart, try again in a second\n"};
  }
  state_.NoteCaughtUp();
  return {true, ""};
}

HttpContent App::Content() {
  HttpContent content = ServeWorld(
      {options_, world_, own_, clock_,
       [this]() -> const SeriesTable& { return world_.ledger.series(); },
       // A crash must not take back what was exposed.
       [this] { state_.Flush(); },
       [this](PageData& data) {
         data.namespaces = options_.namespaces;
         for (const auto& watcher : watchers_) {
           const ReflectorHealth health = watcher->Health();
           data.watches.push_back({watcher->name(), health.synced,
                                   health.in_contact, health.problem});
         }
       },
       [this] { return history_.Source(); }});
  content.can_scrape = [this] { return CanScrape(); };
  content.reload = [this] { return reloader_.Reload(kReloadPatience); };
  content.livez = [this] { return LiveHealth(watchers_, clock_.SteadyNow()); };
  content.readyz = [this] {
    const auto history = history_.Report();
    return ReadyHealth(watchers_, state_.stats(),
                       history ? history->problem : "");
  };
  return content;
}

Result<void> App::StartWatches() {
  for (const auto& watcher : watchers_) {
    Result<std::jthread> thread =
        StartThread([&watcher, token = stop_.get_token()](
                        const std::stop_token&) { watcher->Run(token); });
    if (!thread) return thread.error();
    watches_.push_back(std::move(*thread));
  }
  return {};
}

Result<void> App::StartElector() {
  if (!elector_) return {};
  Result<std::jthread> thread =
      StartThread([this](const std::stop_token& stop) { elector_->Run(stop); });
  if (!thread) return thread.error();
  elections_ = std::move(*thread);
  return {};
}

int App::Run(const TerminationSignals& signals) {
  Result<void> started = SetSinks(options_.sinks);
  if (started) started = StartElector();
  std::unique_ptr<HttpServer> server;
  if (started) server = StartServer(options_, Content(), http_stats_);
  if (server) started = StartWatches();
  if (!started) LogError("Cannot start", {{"error", started.error().message}});
  if (!server || !started) return Stop(1, std::move(server));

  ReleaseStartupPages();
  int signal = signals.Wait();
  for (; signal == SIGHUP; signal = signals.Wait()) {
    // Logs the result.
    static_cast<void>(reloader_.Reload(std::chrono::milliseconds(0)));
  }
  if (Result<std::jthread> deadline = StartThread(ExitAfterLimit); deadline) {
    deadline_ = std::move(*deadline);
  } else {
    // There is no thread left: SIGALRM ends the process.
    ::alarm(static_cast<unsigned>(kStopLimit.count()));
  }
  LogInfo("Stopping", {{"signal", signal}});
  return Stop(0, std::move(server));
}

int App::Stop(int code, std::unique_ptr<HttpServer> server) {
  stop_.request_stop();
  watches_.clear();
  // The sinks publish what they deliver until they end.
  const bool ended = sink_runner_.Stop(kSinkStopLimit);
  if (elections_.joinable()) {
    elections_.request_stop();
    elections_.join();
    if (ended) elector_->Release();
  }
  state_.Stop();
  server.reset();
  if (ended) return code;
  LogWarn("A sink does not stop, exiting without it", {});
  ::_exit(code);
}

}  // namespace

int RunApp(const Options& options, ServerAccess access,
           const TerminationSignals& signals, Reloader::Parse parse) {
  LogInfo("Starting kube-event-metrics",
          {{"version", kVersion},
           {"revision", kRevision},
           {"apiserver", access.server.ToString()},
           {"access", access.origin}});
  RealClock clock;
  DiskFileSystem files;
  // The signals end a wait for the state file as well.
  std::stop_source stop;
  std::jthread listener([&](const std::stop_token& started) {
    while (const std::optional<int> signal = signals.Wait(started)) {
      if (*signal != SIGHUP) stop.request_stop();
    }
  });
  const Result<std::unique_ptr<KeptState>> state = KeptState::Open(
      {options.state_file, access.server.ToString(), options.state_interval},
      {options.initial_zero, options.max_series, options.retention,
       options.exemplars},
      CollectionNames(options), files, clock, stop.get_token());
  listener.request_stop();
  listener.join();
  if (stop.stop_requested()) {
    LogInfo("Stopping before the start", {});
    return 0;
  }
  if (!state) {
    LogError("Cannot start", {{"error", state.error().message}});
    return 1;
  }
  return App(options, std::move(access), **state, clock, std::move(parse))
      .Run(signals);
}

}  // namespace kem

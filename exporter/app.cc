#include "app.h"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "apiserver/httplib_transport.h"
#include "base/startup_memory.h"
#include "events/discovery.h"
#include "frames/api_lister_watcher.h"
#include "frames/reflector.h"
#include "pipeline.h"
#include "scrape/exposition.h"
#include "scrape/http_server.h"
#include "scrape/negotiation.h"
#include "scrape/page.h"
#include "state/kept_state.h"
#include "version.h"

namespace kem {
namespace {

// SIGTERM to exit: 12 s are promised, two of them are for the HTTP server.
constexpr std::chrono::seconds kStopLimit{10};

// One watched collection: all Events, or those of one namespace.
class Watch {
 public:
  Watch(const std::string& name_space, const Options& options,
        HttpTransport& transport, EventWorld& world, Clock& clock,
        std::stop_token stop)
      : name_(name_space.empty() ? "all namespaces" : name_space),
        core_(transport, Path("/api/v1", name_space)),
        events_(transport, Path("/apis/events.k8s.io/v1", name_space)),
        pipeline_(world, name_space, clock, stop),
        reflector_({name_, options.watch_timeout, pipeline_.resumption()},
                   {&core_, &events_}, pipeline_,
                   {clock, world.session, MakeRandomUnit()}) {}

  // For who goes on after a restart. The world's mutex must be held.
  void NoteContact(const Clock& clock) {
    if (Health().in_contact) pipeline_.NoteContact(clock.SteadyNow());
  }

  void Run(std::stop_token stop) {
    pipeline_.LearnKinds();
    reflector_.Run(stop);
  }

  void RequestList() { reflector_.RequestList(); }

  const std::string& name() const { return name_; }
  ReflectorHealth Health() const { return reflector_.status().Get(); }

 private:
  static std::string Path(const std::string& group_version,
                          const std::string& name_space) {
    // Never a field selector on the namespace: with pages the API server
    // loses items.
    return name_space.empty()
               ? group_version + "/events"
               : group_version + "/namespaces/" + name_space + "/events";
  }

  const std::string name_;
  ApiListerWatcher core_;
  ApiListerWatcher events_;
  Pipeline pipeline_;
  Reflector reflector_;
};

using Watches = std::vector<std::unique_ptr<Watch>>;

Health ReadyHealth(const Watches& watches, const StateStats& state) {
  Health health{true, ""};
  for (const auto& watch : watches) {
    const ReflectorHealth watched = watch->Health();
    if (watched.synced && watched.in_contact) continue;
    health.ok = false;
    health.text += "not ready: watch of " + watch->name() + ": ";
    health.text += !watched.problem.empty() ? watched.problem
                   : watched.synced         ? "not in contact"
                                            : "first list not finished";
    health.text += '\n';
  }
  if (health.ok) health.text = "ok\n";
  const std::string problem = state.problem();
  if (!problem.empty()) health.text += "state: " + problem + "\n";
  return health;
}

Health LiveHealth(const Watches& watches, const Clock& clock) {
  Health health{true, ""};
  const SteadyTime now = clock.SteadyNow();
  for (const auto& watch : watches) {
    const ReflectorHealth state = watch->Health();
    if (now <= state.due) continue;
    health.ok = false;
    health.text += "not alive: the loop of the watch of " + watch->name() +
                   " hangs; restart the exporter\n";
  }
  if (health.ok) health.text = "ok\n";
  return health;
}

bool AllSynced(const Watches& watches) {
  for (const auto& watch : watches) {
    if (!watch->Health().synced) return false;
  }
  return true;
}

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

// The body of a watch's thread: nothing may leave it but by a logged exit.
void RunWatch(Watch& watch, std::stop_token stop) {
  try {
    watch.Run(stop);
  } catch (const std::exception& error) {
    LogError("Internal error, exiting",
             {{"watch", watch.name()}, {"error", error.what()}});
    ::_exit(1);
  }
}

PageData Page(const Options& options, EventWorld& world, const Watches& watches,
              const Clock& clock, SteadyTime started) {
  PageData data;
  data.version = kVersion;
  data.telemetry_path = options.telemetry_path;
  data.now = clock.WallNow();
  data.uptime = std::chrono::duration_cast<std::chrono::seconds>(
      clock.SteadyNow() - started);
  for (const auto& watch : watches) {
    const ReflectorHealth state = watch->Health();
    data.watches.push_back(
        {watch->name(), state.synced, state.in_contact, state.problem});
  }
  data.namespaces = options.namespaces;
  data.tracked = world.occurrences.tracked;
  const std::lock_guard guard(world.mutex);
  data.recent = world.recent.Newest(data.now);
  data.filtered = world.filter->options() != FilterOptions();
  data.cluster_scoped = world.filter->options().cluster_scoped;
  return data;
}

void SetFilter(const FilterOptions& options, EventWorld& world,
               const Watches& watches) {
  auto filter = std::make_shared<const EventFilter>(options);
  {
    const std::lock_guard guard(world.mutex);
    world.filter.swap(filter);
  }
  for (const auto& watch : watches) watch->RequestList();
}

HttpContent Content(const Options& options, EventWorld& world,
                    const OwnMetrics& own, const Watches& watches,
                    KeptState& state, Reloader& reloader, const Clock& clock) {
  HttpContent content;
  content.scrape = [&world, &own, &state, &clock,
                    created =
                        options.created_timestamps](const std::string& accept) {
    const TextStyle style{PrefersOpenMetrics(accept), created};
    auto exposition = std::make_shared<Exposition>(
        world.mutex, world.ledger.series(), own, clock, style);
    return Scrape{ContentType(style.open_metrics),
                  [exposition, &state](std::string& out) {
                    const bool more = exposition->Next(out);
                    // Nobody may see what a crash would take back.
                    state.Flush();
                    return more;
                  }};
  };
  content.page = [&options, &world, &watches, &clock,
                  started = clock.SteadyNow()] {
    return RenderPage(Page(options, world, watches, clock, started));
  };
  content.reload = [&reloader] { return reloader.Reload(); };
  content.livez = [&watches, &clock] { return LiveHealth(watches, clock); };
  content.readyz = [&watches, &state] {
    return ReadyHealth(watches, state.stats());
  };
  return content;
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
  Watches watches;
  std::vector<std::string> namespaces = options.namespaces;
  if (namespaces.empty()) namespaces.emplace_back();
  StateOptions state_options{options.state_file, access.server.ToString(),
                             options.state_interval, [&watches, &clock] {
                               for (const auto& watch : watches) {
                                 watch->NoteContact(clock);
                               }
                             }};
  Result<std::unique_ptr<KeptState>> kept =
      KeptState::Open(std::move(state_options),
                      {options.birth_hold, options.max_series,
                       options.retention, options.exemplars},
                      namespaces, clock);
  if (!kept) {
    LogError("Cannot start", {{"error", kept.error().message}});
    return 1;
  }
  KeptState& state = **kept;
  HttplibTransport transport(std::move(access));
  const Discovery discovery(transport, clock);
  EventWorld world(discovery, clock, options.retention, state.ledger());
  world.filter = std::make_shared<const EventFilter>(options.filter);
  // Recorders put the Events of cluster-scoped objects into "default".
  world.preset_reasons = options.namespaces.empty() ||
                         std::find(namespaces.begin(), namespaces.end(),
                                   "default") != namespaces.end();
  HttpStats http_stats;
  std::stop_source stop;
  for (const std::string& name_space : namespaces) {
    watches.push_back(std::make_unique<Watch>(name_space, options, transport,
                                              world, clock, stop.get_token()));
  }
  state.Start();
  ReloadStats reloads;
  Reloader reloader(
      options, std::move(parse),
      [&world, &watches](const FilterOptions& filter) {
        SetFilter(filter, world, watches);
      },
      clock, reloads);
  const OwnMetrics own({world.session, world.occurrences, world.scopes.stats(),
                        http_stats, reloads, state.stats(),
                        [&world] {
                          const std::lock_guard guard(world.mutex);
                          return world.ledger.series().Counts();
                        },
                        [&watches] { return AllSynced(watches); },
                        clock.WallNow()});

  Result<std::unique_ptr<HttpServer>> server = HttpServer::Start(
      {options.listen_address,
       options.telemetry_path,
       options.web_config_file,
       {}},
      Content(options, world, own, watches, state, reloader, clock),
      http_stats);
  if (!server) {
    LogError("Cannot serve", {{"error", server.error().message}});
    return 1;
  }
  LogInfo("Listening on", {{"address", (*server)->address()}});

  std::vector<std::jthread> threads;
  for (const auto& watch : watches) {
    threads.emplace_back(
        [&watch, token = stop.get_token()] { RunWatch(*watch, token); });
  }
  ReleaseStartupPages();
  int signal = signals.Wait();
  for (; signal == SIGHUP; signal = signals.Wait()) reloader.Reload();
  LogInfo("Stopping", {{"signal", signal}});
  const Deadline deadline(kStopLimit);
  stop.request_stop();
  threads.clear();
  state.Stop();
  server->reset();
  return 0;
}

}  // namespace kem

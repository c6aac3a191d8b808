#include "pipeline/event_watcher.h"

#include <unistd.h>

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "base/safe_text.h"

namespace kem {
namespace {

std::string Path(const std::string& group_version,
                 const std::string& name_space) {
  // Not a field selector on the namespace: with pages the API server loses
  // items.
  return name_space.empty()
             ? group_version + "/events"
             : group_version + "/namespaces/" + name_space + "/events";
}

}  // namespace

EventWatcher::EventWatcher(const std::string& name_space,
                           std::chrono::seconds watch_timeout,
                           HttpTransport& transport, EventWorld& world,
                           Clock& clock, const std::stop_token& stop)
    : name_(name_space.empty() ? "all namespaces" : name_space),
      core_(transport, Path("/api/v1", name_space)),
      events_(transport, Path("/apis/events.k8s.io/v1", name_space)),
      pipeline_(world, name_space, clock, stop),
      reflector_({name_, watch_timeout, pipeline_.ResumedWholeUntil()},
                 {&core_, &events_}, pipeline_,
                 {clock, world.session, MakeRandomUnit()}) {
  if (pipeline_.FilterChanged()) reflector_.RequestList();
}

void EventWatcher::Run(const std::stop_token& stop) {
  try {
    pipeline_.LearnKinds();
    reflector_.Run(stop);
  } catch (const std::exception& error) {
    LogError("Internal error, exiting",
             {{"watch", name_}, {"error", error.what()}});
    ::_exit(1);
  }
}

void EventWatcher::NoteContact(SteadyTime now) {
  if (Health().in_contact) pipeline_.NoteContact(now);
}

Health ReadyHealth(const EventWatchers& watchers, const StateStats& state,
                   const std::string& history_problem) {
  Health health{true, ""};
  std::string late;
  for (const auto& watcher : watchers) {
    const ReflectorHealth watched = watcher->Health();
    if (watched.late) {
      late += "watch of " + watcher->name() +
              ": Events arrive late: a proxy may buffer them\n";
    }
    if (watched.synced && watched.in_contact) continue;
    health.ok = false;
    health.text += "not ready: watch of " + watcher->name() + ": ";
    health.text += !watched.problem.empty() ? OneLine(watched.problem)
                   : watched.synced         ? "not in contact"
                                            : "first list not finished";
    health.text += '\n';
  }
  if (health.ok) health.text = "ok\n";
  health.text += late;
  const std::string problem = state.problem();
  if (!problem.empty()) health.text += "state: " + OneLine(problem) + "\n";
  if (!history_problem.empty()) {
    health.text += "history: " + OneLine(history_problem) + "\n";
  }
  return health;
}

Health LiveHealth(const EventWatchers& watchers, SteadyTime now) {
  Health health{true, ""};
  for (const auto& watcher : watchers) {
    const ReflectorHealth state = watcher->Health();
    if (now <= state.due) continue;
    health.ok = false;
    health.text += "not alive: the loop of the watch of " + watcher->name() +
                   " hangs; restart the exporter\n";
  }
  if (health.ok) health.text = "ok\n";
  return health;
}

bool AllCaughtUp(const EventWatchers& watchers, SteadyTime now) {
  return std::all_of(watchers.begin(), watchers.end(), [now](const auto& one) {
    return now >= one->Health().caught_up_at;
  });
}

bool AllSynced(const EventWatchers& watchers) {
  return std::all_of(watchers.begin(), watchers.end(),
                     [](const auto& one) { return one->Health().synced; });
}

}  // namespace kem

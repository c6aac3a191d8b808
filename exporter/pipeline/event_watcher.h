// One watched collection, all Events or those of one namespace: both APIs, the
// pipeline that counts, and the reflector that keeps it up to date. Also what
// all collections together mean for /readyz and /livez. Used by the app only.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/health.h"
#include "pipeline/pipeline.h"
#include "reflector/api_lister_watcher.h"
#include "reflector/reflector.h"
#include "state/state_load.h"

namespace kem {

class EventWatcher {
 public:
  // An empty `name_space` means all. All must outlive this; `stop` is the token
  // that Run gets.
  EventWatcher(const std::string& name_space,
               std::chrono::seconds watch_timeout, HttpTransport& transport,
               EventWorld& world, Clock& clock, const std::stop_token& stop);

  // The body of a thread, until `stop`. An exception ends the process with a
  // log line: without its watcher a cluster would look quiet.
  void Run(const std::stop_token& stop);

  // Records for a restart that nothing was missed until `now`, if so. Needs the
  // world's mutex.
  void NoteContact(SteadyTime now);

  // Thread-safe, like the rest.
  void RequestList() { reflector_.RequestList(); }
  const std::string& name() const { return name_; }
  ReflectorHealth Health() const { return reflector_.status().Get(); }

 private:
  const std::string name_;
  ApiListerWatcher core_;
  ApiListerWatcher events_;
  Pipeline pipeline_;
  Reflector reflector_;
};

using EventWatchers = std::vector<std::unique_ptr<EventWatcher>>;

bool AllSynced(const EventWatchers& watchers);
// Whether nothing is missing that an earlier process may have exposed.
bool AllCaughtUp(const EventWatchers& watchers, SteadyTime now);
// Ok when all are synced and in contact. The text names those that are not, and
// why, those whose Events arrive late, and problems with the state and the
// history, which do not stop the counting.
Health ReadyHealth(const EventWatchers& watchers, const StateStats& state,
                   const std::string& history_problem);
// Ok unless a reflector's loop hangs. A quiet cluster is healthy.
Health LiveHealth(const EventWatchers& watchers, SteadyTime now);

}  // namespace kem

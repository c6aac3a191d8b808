// One watched collection, all Events or those of one namespace, as the app runs
// it: both APIs, the pipeline that counts what they tell, and the reflector
// that keeps them in step. And what all of them together mean for /readyz and
// /livez. Used by the app only.
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
#include "state/state_stats.h"

namespace kem {

class Watch {
 public:
  // An empty `name_space` is all of them. All must outlive this; `stop` is the
  // one that Run will be given.
  Watch(const std::string& name_space, std::chrono::seconds watch_timeout,
        HttpTransport& transport, EventWorld& world, Clock& clock,
        const std::stop_token& stop);

  // The body of the watch's thread, until `stop`. An exception ends the process
  // with a log line: a watch that is no more would look like a quiet cluster.
  void Run(const std::stop_token& stop);

  // For who goes on after a restart. The world's mutex must be held.
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

using Watches = std::vector<std::unique_ptr<Watch>>;

bool AllSynced(const Watches& watches);
// Synced and in contact; the body says which is not, and why, and what is wrong
// with the state.
Health ReadyHealth(const Watches& watches, const StateStats& state);
// The loops come round; a quiet cluster is healthy.
Health LiveHealth(const Watches& watches, SteadyTime now);

}  // namespace kem

// Keeps an ObjectHandler in step with one collection of the API server: list in
// pages, commit, watch, and all that can go wrong with either. An explicit
// state machine that does one request or one wait a step, modelled on
// client-go's reflector.go and changed where Events need it (they bypass the
// watch cache: no bookmarks, and a resourceVersion that ages in silence). Does
// not know what an Event is, nor how a request is sent.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "reflector/backoff.h"
#include "reflector/frame_reader.h"
#include "reflector/lister_watcher.h"
#include "reflector/object_handler.h"
#include "reflector/reflector_options.h"
#include "reflector/reflector_status.h"

namespace kem {

// What the next step does.
enum class ReflectorState {
  kList,         // asks for a page: the first, or the next of a list begun
  kWatch,        // watches from the resume point
  kWaitToList,   // waits, then kList
  kWaitToWatch,  // waits, then kWatch
};

// Owned by the thread that calls Run or Step; status() is for all.
class Reflector {
 public:
  // `apis` are the same objects in several API versions, best first; the next
  // one is tried when one is absent or forbidden, never two at once. At least
  // one. They and `handler` must outlive the reflector.
  Reflector(ReflectorOptions options, std::vector<ListerWatcher*> apis,
            ObjectHandler& handler, ReflectorContext context);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Steps until `stop` is requested, and returns soon after. Nothing else makes
  // it return.
  void Run(const std::stop_token& stop);

  // One request or one wait. After a stop the state stays as it is.
  void Step(std::stop_token stop);

  // What the handler makes of Events has changed: a list is asked for as soon
  // as the API server's wishes allow. Ends a watch, begins a list under way
  // again, and cuts no wait short. Thread-safe.
  void RequestList();

  const std::string& name() const { return options_.name; }
  ReflectorState state() const { return state_; }
  const ReflectorStatus& status() const { return status_; }

 private:
  struct ListRun;
  struct WatchReport;

  ListerWatcher& api() { return *apis_[api_]; }
  const ResumePoint& point() const { return handler_.resume_point(); }
  std::string SelectorOf(const std::vector<std::string>& selectors) const;
  void HonourListRequest();

  // In reflector_list.cc.
  void StepList(std::stop_token stop);
  void BeginList();
  std::optional<Failure> StagePage();
  void CommitList();
  void CountUnobservedTime(SteadyTime seen);
  void OnListFailure(const Failure& failure);
  void RestartList(const Failure& failure);
  // In reflector_watch.cc.
  void StepWatch(std::stop_token stop);
  WatchReport Watch(const WatchOptions& options, std::stop_token stop);
  void OnWatchEnd(const WatchReport& report);
  void OnCleanEnd(const WatchReport& report);
  void OnPoison(const WatchReport& report);
  void OnServerError(const WatchReport& report);
  // In reflector.cc.
  void StepWait(ReflectorState next, std::stop_token stop);
  void ListNow(std::string_view why);
  void ListAfterBackoff(std::string_view why);
  void ListSoon(std::string_view why);
  void WatchAfterBackoff();
  void Retry(const Failure& failure, ReflectorState wait);
  void Wait(ReflectorState wait, std::chrono::milliseconds duration);
  std::chrono::milliseconds NextBackoff();
  void ExpectWithin(std::chrono::milliseconds bound);
  void NoteContact();
  void NoteProblem(std::string_view during, const Error& error);

  const ReflectorOptions options_;
  const std::vector<ListerWatcher*> apis_;
  ObjectHandler& handler_;
  ReflectorContext context_;
  ReflectorStatus status_;

  ReflectorState state_ = ReflectorState::kList;
  // The point is an earlier process's: nothing has shown yet that this API
  // server has been there.
  bool unproven_ = false;
  size_t api_ = 0;
  std::chrono::milliseconds wait_{0};
  Backoff backoff_;

  std::unique_ptr<ListRun> list_;  // while one is under way
  std::string list_why_ = "start";
  int64_t page_limit_;
  int list_restarts_ = 0;  // at once, since the last commit
  bool synced_ = false;
  FrameReader reader_;
  std::vector<std::string> selectors_;  // of the last list, one an API
  bool watch_worked_ = false;           // since the last commit
  int server_errors_ = 0;               // in a row
  uint64_t poisoned_at_ = 0;  // resume point of the last unreadable frame

  // RequestList's part. The source ends the watch under way.
  std::mutex request_mutex_;
  bool list_requested_ = false;
  std::stop_source watch_end_;
  // The list is one on request: nothing was missed before it.
  bool bridging_ = false;

  // Until when nothing can have been missed, and until when what may have been
  // missed was counted as unobserved time.
  SteadyTime whole_until_;
  SteadyTime unobserved_until_;
};

}  // namespace kem

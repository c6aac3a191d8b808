// Keeps an ObjectHandler in step with a collection of the API server: lists it
// in pages, commits the list, watches, and handles all failures. A state
// machine; a step is one request or one wait. Modeled on client-go's
// reflector.go, with changes because Events bypass the watch cache: they have
// no bookmarks, and the resourceVersion grows old while there are none. Does
// not decode objects or send requests.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "reflector/backoff.h"
#include "reflector/delivery_lag.h"
#include "reflector/frame_reader.h"
#include "reflector/lister_watcher.h"
#include "reflector/object_handler.h"
#include "reflector/reflector_status.h"
#include "reflector/session_stats.h"
#include "reflector/watch_limit.h"

namespace kem {

struct ReflectorOptions {
  // Names the reflector in logs.
  std::string name = "events";
  // Each watch requests a timeout between 24/29 of this and this, or less when
  // watches are cut (WatchLimit). At least 1 s.
  std::chrono::seconds watch_timeout{290};
  // Set when the handler's resume point is an earlier process's, which was in
  // contact until then by this process's clock. The reflector then starts with
  // a watch, otherwise with a list.
  std::optional<SteadyTime> resumed_whole_until;
};

// Clock and stats may be shared, and must outlive the reflector.
struct ReflectorContext {
  Clock& clock;
  SessionStats& stats;
  RandomUnit random;
};

// What the next step does.
enum class ReflectorState {
  kList,         // requests a page: the first, or the next one
  kWatch,        // watches from the resume point
  kWaitToList,   // waits, then kList
  kWaitToWatch,  // waits, then kWatch
};

// Owned by the thread that calls Run or Step. status() and RequestList are
// thread-safe.
class Reflector {
 public:
  // `apis` are the same objects in one or more API versions, the best first.
  // The next one is used when one is absent or forbidden. They and `handler`
  // must outlive the reflector.
  Reflector(ReflectorOptions options, std::vector<ListerWatcher*> apis,
            ObjectHandler& handler, ReflectorContext context);
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  // Steps until `stop` is requested, and returns soon after.
  void Run(const std::stop_token& stop);

  // One request or one wait. A stop does not change the state.
  void Step(std::stop_token stop);

  // Lists again, because the handler's treatment of Events has changed. Ends a
  // watch and restarts a list, but shortens no wait.
  void RequestList();

  const std::string& name() const { return options_.name; }
  ReflectorState state() const { return state_; }
  const ReflectorStatus& status() const { return status_; }

 private:
  // API servers compact every 5 minutes. A resourceVersion that is older may be
  // gone, and a watch cannot start from a list that takes longer.
  static constexpr std::chrono::seconds kCompactionMargin{270};

  // A list that is not complete yet.
  struct ListRun {
    int64_t items = 0;
    int64_t pages = 0;
    std::vector<std::string> selectors;  // by API
    // When the first page arrived with the API server's time.
    std::optional<SteadyTime> answered;
    uint64_t missed = 0;  // new Events that a watch did not deliver
    ListOptions next;
    ListCommit commit;
    ListPage page;
  };
  struct WatchReport;

  ListerWatcher& api() { return *apis_[api_]; }
  const ResumePoint& point() const { return handler_.resume_point(); }
  std::string SelectorOf(const std::vector<std::string>& selectors) const;
  void HonourListRequest();

  void StepList(std::stop_token stop);
  void BeginList();
  std::optional<Failure> StagePage();
  bool WasMissed(WallTime created) const;
  Failure ListFailure(ErrorCode code, const char* why);
  void CommitList();
  void CountUnobservedTime(SteadyTime seen);
  void OnListFailure(const Failure& failure);
  void RestartList(const Failure& failure);
  // In reflector_watch.cc.
  void StepWatch(std::stop_token stop);
  WatchReport RunWatch(const WatchOptions& options, std::stop_token stop);
  void JudgeDelivery(uint64_t late);
  void JudgeLife(WatchReport& report);
  void OnWatchEnd(const WatchReport& report);
  void OnCleanEnd(const WatchReport& report);
  void OnPoison(const WatchReport& report);
  void OnServerError(const WatchReport& report);
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
  size_t api_ = 0;       // of apis_
  bool synced_ = false;  // a list was committed, perhaps by an earlier process
  int server_errors_ = 0;  // watches in a row that failed with one

  // kWaitToList and kWaitToWatch.
  std::chrono::milliseconds wait_{0};
  Backoff backoff_;

  // kList: reset by each commit.
  struct Listing {
    // client-go's page size (tools/pager).
    static constexpr int64_t kPageLimit = 500;

    std::unique_ptr<ListRun> run;  // null before the first page is requested
    std::string why = "start";
    int64_t page_limit = kPageLimit;
    int restarts = 0;         // without a wait
    bool on_request = false;  // nothing was missed before it
  };
  Listing listing_;

  // kWatch: reset by each commit.
  struct Watching {
    bool worked = false;
    // The resume point is an earlier process's. Nothing has shown yet that this
    // API server has that resourceVersion.
    bool unproven = false;
    uint64_t poisoned_at = 0;  // resume point of the last unreadable frame
    // The last proper end of a watch, which brought nothing after newest_at().
    std::optional<SteadyTime> silent_until;
  };
  Watching watching_;
  int hasty_watches_ = 0;  // short ones with news, since the last healthy one
  WatchLimit watch_limit_;
  DeliveryLag delivery_lag_;
  int timely_watches_ = 0;  // in a row
  FrameReader reader_;
  std::vector<std::string> selectors_;  // of the last list, by API

  // RequestList. The source ends the current watch.
  std::mutex request_mutex_;
  bool list_requested_ = false;
  std::stop_source watch_end_;

  // Nothing can have been missed until the first. Until the second, what may
  // have been missed was counted as unobserved time.
  SteadyTime whole_until_;
  SteadyTime unobserved_until_;
};

}  // namespace kem

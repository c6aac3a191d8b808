#include "reflector/reflector.h"

#include <algorithm>
#include <cassert>

#include "base/log.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A server that requires a longer wait gets one early request a minute.
constexpr seconds kMaxRetryAfter{60};
// An invalid request stays invalid, so there is no hurry.
constexpr seconds kRejectedWait{30};
// For connecting, one retry after a 401 and applying the response. After the
// request's bound and this, /livez reports the thread as hung.
constexpr seconds kDueMargin{60};

// The API server cancels a request after 60 s.
constexpr seconds kPageTimeout{65};
constexpr int64_t kLargeLimit = 5000;
constexpr int kRestartsAtOnce = 3;

// Fewer pages are complete sooner, before their token expires. 0 is one page.
int64_t LargerLimit(int64_t limit) {
  if (limit == 0 || limit >= kLargeLimit) return 0;
  return limit * 10;
}

int64_t SmallerLimit(int64_t limit) {
  return limit == 0 ? kLargeLimit : std::max<int64_t>(1, limit / 10);
}

}  // namespace

Reflector::Reflector(ReflectorOptions options, std::vector<ListerWatcher*> apis,
                     ObjectHandler& handler, ReflectorContext context)
    : options_(std::move(options)),
      apis_(std::move(apis)),
      handler_(handler),
      context_(std::move(context)),
      watch_limit_(options_.watch_timeout) {
  assert(!apis_.empty());
  if (!options_.resumed_whole_until) return;
  whole_until_ = *options_.resumed_whole_until;
  selectors_ = handler_.Selectors();
  synced_ = true;
  status_.SetSynced();
  watching_.unproven = true;
  state_ = ReflectorState::kWatch;
}

void Reflector::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) Step(stop);
}

void Reflector::Step(std::stop_token stop) {
  HonourListRequest();
  switch (state_) {
    case ReflectorState::kList:
      return StepList(std::move(stop));
    case ReflectorState::kWatch:
      return StepWatch(std::move(stop));
    case ReflectorState::kWaitToList:
      return StepWait(ReflectorState::kList, std::move(stop));
    case ReflectorState::kWaitToWatch:
      return StepWait(ReflectorState::kWatch, std::move(stop));
  }
}

void Reflector::RequestList() {
  const std::lock_guard lock(request_mutex_);
  list_requested_ = true;
  watch_end_.request_stop();
}

void Reflector::HonourListRequest() {
  {
    const std::lock_guard lock(request_mutex_);
    watch_end_ = std::stop_source();
    if (!std::exchange(list_requested_, false)) return;
  }
  switch (state_) {
    case ReflectorState::kList:
      // The handler may have treated its first pages in the old way.
      listing_.run.reset();
      return;
    case ReflectorState::kWatch:
      listing_.on_request = true;
      return ListNow("requested");
    case ReflectorState::kWaitToWatch:
      listing_.on_request = true;
      listing_.why = "requested";
      state_ = ReflectorState::kWaitToList;
      return;
    case ReflectorState::kWaitToList:
      return;
  }
}

std::string Reflector::SelectorOf(
    const std::vector<std::string>& selectors) const {
  return api_ < selectors.size() ? selectors[api_] : "";
}

void Reflector::StepWait(ReflectorState next, std::stop_token stop) {
  ExpectWithin(wait_);
  if (context_.clock.SleepFor(wait_, std::move(stop))) state_ = next;
}

void Reflector::StepList(std::stop_token stop) {
  if (!listing_.run) BeginList();
  ListRun& run = *listing_.run;
  const auto left = std::chrono::duration_cast<milliseconds>(
      run.commit.started + kCompactionMargin - context_.clock.SteadyNow());
  std::optional<Failure> failure;
  if (left <= milliseconds(0)) {
    failure = ListFailure(ErrorCode::kUnavailable, " takes longer than 270 s");
  } else {
    const auto timeout = std::min<milliseconds>(left, kPageTimeout);
    ExpectWithin(timeout);
    failure = api().List(run.next, timeout, run.page, std::move(stop));
  }
  if (!failure) failure = StagePage();
  if (failure) return OnListFailure(*failure);
  NoteContact();
  server_errors_ = 0;
  if (run.next.continue_token.empty()) CommitList();
}

Failure Reflector::ListFailure(ErrorCode code, const char* why) {
  return {{code, "The list of " + api().path() + why}, 0, {}};
}

void Reflector::BeginList() {
  listing_.run = std::make_unique<ListRun>();
  ListRun& run = *listing_.run;
  run.commit.started = context_.clock.SteadyNow();
  run.next.limit = listing_.page_limit;
  handler_.BeginList();
  run.selectors = handler_.Selectors();
  run.next.field_selector = SelectorOf(run.selectors);
}

std::optional<Failure> Reflector::StagePage() {
  ListRun& run = *listing_.run;
  const ListPage& page = run.page;
  if (run.pages++ == 0) {
    // The token pins all pages to this version.
    if (page.resource_version == 0) {
      return ListFailure(ErrorCode::kMalformed,
                         " has no resourceVersion to watch from");
    }
    run.commit.resource_version = page.resource_version;
    run.commit.server_time =
        page.server_time.value_or(context_.clock.WallNow());
    if (page.server_time) {
      handler_.NoteServerTime(*page.server_time);
      run.answered = context_.clock.SteadyNow();
    }
  }
  for (const std::string_view item : page.items) {
    const std::optional<WallTime> created = handler_.StageItem(item);
    if (!created) context_.stats.Count(DropReason::kMalformed);
    if (created && WasMissed(*created)) ++run.missed;
  }
  run.items += static_cast<int64_t>(page.items.size());
  // Pages may be short, even empty: only an empty token ends the list.
  run.next.continue_token = page.continue_token;
  return {};
}

// Whether an Event that the API server created then was due in the last watch
// that ended properly: after what had arrived, and long before the end. The
// API server's clock and this one are compared at this list.
bool Reflector::WasMissed(WallTime created) const {
  constexpr std::chrono::hours kLongest{24};
  const ListRun& run = *listing_.run;
  const ListCommit& commit = run.commit;
  const auto age = commit.server_time - created;
  if (!run.answered || !watching_.silent_until || age < seconds(0) ||
      age > kLongest || commit.resource_version < point().newest() ||
      run.selectors != selectors_) {
    return false;
  }
  return commit.started - age > point().newest_at() + DeliveryLag::kLate &&
         *run.answered - age < *watching_.silent_until - DeliveryLag::kLate;
}

void Reflector::CommitList() {
  const Listing listing = std::exchange(listing_, Listing());
  const ListRun& run = *listing.run;
  ListCommit commit = run.commit;
  const ResumePoint before = point();
  commit.new_epoch = synced_ && commit.resource_version < before.newest();
  // After a list on request the watch resumes where it was cut, so that it also
  // reports what came and went meanwhile; the list's Events come as replays.
  // With another selector it would report earlier occurrences.
  commit.bridge = listing.on_request && synced_ && !commit.new_epoch &&
                  run.selectors == selectors_ &&
                  commit.started - before.resume_at() < kCompactionMargin;
  handler_.CommitList(commit);

  SessionStats& stats = context_.stats;
  stats.Count(ListResult::kSuccess);
  if (!commit.bridge) {
    // A watch from a future version is silent and ends properly, so before a
    // new epoch only the last watch event proves contact.
    CountUnobservedTime(commit.new_epoch ? before.newest_at() : whole_until_);
    whole_until_ = commit.started;
  }
  if (commit.new_epoch) {
    ++stats.resource_version_resets;
    LogWarn(
        "The resourceVersion went back, as after a restore of etcd; the list "
        "is a new baseline",
        {{"reflector", options_.name},
         {"before", before.newest()},
         {"now", commit.resource_version}});
  }
  if (run.missed > 0) JudgeDelivery(run.missed);
  selectors_ = run.selectors;
  synced_ = true;
  status_.SetSynced();
  status_.SetCaughtUpAt(SteadyTime::min());
  watching_ = Watching();
  state_ = ReflectorState::kWatch;
  LogInfo("Listed", {{"reflector", options_.name},
                     {"path", api().path()},
                     {"why", listing.why},
                     {"resource_version", commit.resource_version},
                     {"items", run.items},
                     {"pages", run.pages}});
}

void Reflector::CountUnobservedTime(SteadyTime seen) {
  if (!synced_) return;
  const SteadyTime now = context_.clock.SteadyNow();
  const auto unobserved = std::chrono::duration_cast<milliseconds>(
      now - std::max(seen, unobserved_until_));
  context_.stats.unobserved_millis +=
      static_cast<uint64_t>(std::max(unobserved, milliseconds(0)).count());
  unobserved_until_ = now;
}

void Reflector::OnListFailure(const Failure& failure) {
  const bool first_page = listing_.run->pages == 0;
  listing_.run.reset();
  context_.stats.Count(FromErrorCode(failure.error.code, kListResultNames,
                                     ListResult::kUnavailable));
  switch (failure.error.code) {
    case ErrorCode::kCancelled:
      return;
    case ErrorCode::kExpired:
      // The token is too old. The API server offers one that continues at the
      // present version, but then changes to the items of earlier pages would
      // be lost.
      if (!first_page) listing_.page_limit = LargerLimit(listing_.page_limit);
      return RestartList(failure);
    case ErrorCode::kTooLarge:
      listing_.page_limit = SmallerLimit(listing_.page_limit);
      return RestartList(failure);
    default:
      NoteProblem("list", failure.error);
      return Retry(failure, ReflectorState::kWaitToList);
  }
}

// From the first page with another page size: a few times at once, then with
// back-off.
void Reflector::RestartList(const Failure& failure) {
  LogInfo("List restarted from the first page",
          {{"reflector", options_.name},
           {"why", failure.error.message},
           {"limit", listing_.page_limit}});
  if (listing_.restarts++ < kRestartsAtOnce) {
    state_ = ReflectorState::kList;
    return;
  }
  NoteProblem("list", failure.error);
  Retry(failure, ReflectorState::kWaitToList);
}

void Reflector::ListNow(std::string_view why) {
  listing_.why = why;
  state_ = ReflectorState::kList;
}

void Reflector::ListAfterBackoff(std::string_view why) {
  listing_.why = why;
  Wait(ReflectorState::kWaitToList, NextBackoff());
}

// At once, unless the last list did not help: lists are the most expensive
// requests.
void Reflector::ListSoon(std::string_view why) {
  if (watching_.worked) {
    ListNow(why);
  } else {
    ListAfterBackoff(why);
  }
}

void Reflector::WatchAfterBackoff() {
  Wait(ReflectorState::kWaitToWatch, NextBackoff());
}

// The same request again, later.
void Reflector::Retry(const Failure& failure, ReflectorState wait) {
  milliseconds duration = NextBackoff();
  switch (failure.error.code) {
    case ErrorCode::kForbidden:
    case ErrorCode::kNotFound:
      // The other version of the API may exist, or be allowed. It has the same
      // storage, so resourceVersions stay valid.
      api_ = (api_ + 1) % apis_.size();
      break;
    case ErrorCode::kThrottled:
    case ErrorCode::kUnavailable:
      if (failure.retry_after) {
        duration = std::max<milliseconds>(
            duration, std::min(*failure.retry_after, kMaxRetryAfter));
      }
      break;
    case ErrorCode::kRejected:
      duration = kRejectedWait;
      break;
    default:
      break;
  }
  Wait(wait, duration);
}

void Reflector::Wait(ReflectorState wait, milliseconds duration) {
  wait_ = duration;
  state_ = wait;
}

milliseconds Reflector::NextBackoff() {
  return backoff_.Next(context_.clock.SteadyNow(), context_.random());
}

void Reflector::ExpectWithin(milliseconds bound) {
  status_.SetDue(context_.clock.SteadyNow() + bound + kDueMargin);
}

void Reflector::NoteContact() {
  if (status_.SetContact()) {
    LogInfo("Back in contact", {{"reflector", options_.name}});
  }
}

void Reflector::NoteProblem(std::string_view during, const Error& error) {
  const std::string_view code = ToString(error.code);
  std::string kind = std::string(during) + api().path() + std::string(code);
  const bool is_new = status_.SetProblem(std::move(kind), error.message);
  const auto log = is_new ? LogWarn : LogDebug;
  log("Out of contact",
      {{"reflector", options_.name}, {"error", code}, {"why", error.message}});
}

}  // namespace kem

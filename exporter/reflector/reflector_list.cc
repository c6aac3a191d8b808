// The reflector's lists: pages, staging, commit.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "reflector/reflector_internal.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The API server gives up on a request after 60 s.
constexpr seconds kPageTimeout{65};
constexpr int64_t kLargeLimit = 5000;
constexpr int kRestartsAtOnce = 3;

ListResult ToListResult(ErrorCode code) {
  switch (code) {
    case ErrorCode::kExpired:
      return ListResult::kExpired;
    case ErrorCode::kThrottled:
      return ListResult::kThrottled;
    case ErrorCode::kUnauthorized:
      return ListResult::kUnauthorized;
    case ErrorCode::kForbidden:
      return ListResult::kForbidden;
    case ErrorCode::kNotFound:
      return ListResult::kNotFound;
    case ErrorCode::kRejected:
      return ListResult::kRejected;
    case ErrorCode::kMalformed:
      return ListResult::kMalformed;
    case ErrorCode::kTooLarge:
      return ListResult::kTooLarge;
    case ErrorCode::kCancelled:
      return ListResult::kCancelled;
    case ErrorCode::kUnavailable:
    case ErrorCode::kInvalidConfig:
    case ErrorCode::kInternal:
      break;
  }
  return ListResult::kUnavailable;
}

// Fewer pages are done sooner, so their token expires less. 0 is one page.
int64_t LargerLimit(int64_t limit) {
  if (limit == 0 || limit >= kLargeLimit) return 0;
  return limit * 10;
}

int64_t SmallerLimit(int64_t limit) {
  return limit == 0 ? kLargeLimit : std::max<int64_t>(1, limit / 10);
}

}  // namespace

void Reflector::StepList(std::stop_token stop) {
  if (!list_) BeginList();
  const auto left = std::chrono::duration_cast<milliseconds>(
      list_->commit.started + kCompactionMargin - context_.clock.SteadyNow());
  std::optional<Failure> failure;
  if (left <= milliseconds(0)) {
    failure = Failure{{ErrorCode::kUnavailable,
                       "The list of " + api().path() + " takes too long"},
                      0,
                      {}};
  } else {
    const auto timeout = std::min<milliseconds>(left, kPageTimeout);
    ExpectWithin(timeout);
    failure = api().List(list_->next, timeout, list_->page, std::move(stop));
  }
  if (!failure) failure = StagePage();
  if (failure) return OnListFailure(*failure);
  NoteContact();
  server_errors_ = 0;
  if (list_->next.continue_token.empty()) CommitList();
}

void Reflector::BeginList() {
  list_ = std::make_unique<ListRun>();
  list_->commit.started = context_.clock.SteadyNow();
  list_->next.limit = page_limit_;
  handler_.BeginList();
  list_->selectors = handler_.Selectors();
  list_->next.field_selector = SelectorOf(list_->selectors);
}

std::optional<Failure> Reflector::StagePage() {
  const ListPage& page = list_->page;
  if (list_->pages++ == 0) {
    // All pages show the world at this version: the API server pins them to it
    // by the token.
    if (page.resource_version == 0) {
      return Failure{
          {ErrorCode::kMalformed, "The list of " + api().path() +
                                      " has no resourceVersion to watch from"},
          0,
          {}};
    }
    list_->commit.resource_version = page.resource_version;
    list_->commit.server_time =
        page.server_time.value_or(context_.clock.WallNow());
  }
  for (const std::string_view item : page.items) {
    if (!handler_.StageItem(item)) context_.stats.Count(DropReason::kMalformed);
  }
  list_->items += static_cast<int64_t>(page.items.size());
  // Until the token is empty: pages may be short, even empty.
  list_->next.continue_token = page.continue_token;
  return {};
}

void Reflector::CommitList() {
  const std::unique_ptr<ListRun> list = std::exchange(list_, nullptr);
  ListCommit& commit = list->commit;
  const ResumePoint before = point();
  commit.new_epoch = synced_ && commit.resource_version < before.newest();
  // After a list on request the watch goes on from where it was cut, which
  // tells of what came and went meanwhile, too; what the list told comes as
  // replays. With another selector it would tell of Events' pasts.
  commit.bridge = std::exchange(bridging_, false) && synced_ &&
                  !commit.new_epoch && list->selectors == selectors_ &&
                  commit.started - before.resume_at() < kCompactionMargin;
  handler_.CommitList(commit);

  SessionStats& stats = context_.stats;
  stats.Count(ListResult::kSuccess);
  if (!commit.bridge) {
    // A watch of a version from the future is silent and ends properly, so
    // after a new epoch only what was really received counts as seen.
    CountUnobservedTime(commit.new_epoch ? before.newest_at() : whole_until_);
    whole_until_ = commit.started;
  }
  if (commit.new_epoch) {
    ++stats.resource_version_resets;
    LogWarn(
        "The resourceVersion went back, as after a restore of etcd; what "
        "is listed is the new baseline",
        {{"reflector", options_.name},
         {"before", before.newest()},
         {"now", commit.resource_version}});
  }
  selectors_ = std::move(list->selectors);
  synced_ = true;
  status_.SetSynced();
  page_limit_ = kPageLimit;
  list_restarts_ = 0;
  watch_worked_ = false;
  unproven_ = false;
  poisoned_at_ = 0;
  state_ = ReflectorState::kWatch;
  LogInfo("Listed", {{"reflector", options_.name},
                     {"path", api().path()},
                     {"why", list_why_},
                     {"resource_version", commit.resource_version},
                     {"items", list->items},
                     {"pages", list->pages}});
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
  const bool first_page = list_->pages == 0;
  list_.reset();
  context_.stats.Count(ToListResult(failure.error.code));
  switch (failure.error.code) {
    case ErrorCode::kCancelled:
      return;
    case ErrorCode::kExpired:
      // The token is too old. The API server offers another one that goes on
      // with the present; taking it would lose what happened to the items of
      // the pages before in between.
      if (!first_page) page_limit_ = LargerLimit(page_limit_);
      return RestartList(failure);
    case ErrorCode::kTooLarge:
      page_limit_ = SmallerLimit(page_limit_);
      return RestartList(failure);
    default:
      NoteProblem("list", failure.error);
      return Retry(failure, ReflectorState::kWaitToList);
  }
}

// From the beginning with another page size: a few times at once, then with
// back-off like every failure.
void Reflector::RestartList(const Failure& failure) {
  LogInfo("Listing again from the first page", {{"reflector", options_.name},
                                                {"why", failure.error.message},
                                                {"limit", page_limit_}});
  if (list_restarts_++ < kRestartsAtOnce) {
    state_ = ReflectorState::kList;
    return;
  }
  NoteProblem("list", failure.error);
  Retry(failure, ReflectorState::kWaitToList);
}

}  // namespace kem

#include "reflector/reflector.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/log.h"
#include "reflector/reflector_internal.h"

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

}  // namespace

Reflector::Reflector(ReflectorOptions options, std::vector<ListerWatcher*> apis,
                     ObjectHandler& handler, ReflectorContext context)
    : options_(std::move(options)),
      apis_(std::move(apis)),
      handler_(handler),
      context_(std::move(context)) {
  assert(!apis_.empty());
  if (!options_.resumed_whole_until) return;
  whole_until_ = *options_.resumed_whole_until;
  selectors_ = handler_.Selectors();
  synced_ = true;
  status_.SetSynced();
  watching_.unproven = true;
  state_ = ReflectorState::kWatch;
}

Reflector::~Reflector() = default;

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

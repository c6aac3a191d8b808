// The reflector's watches: how long, and what their end means.
#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.h"
#include "reflector/reflector_internal.h"
#include "reflector/watch_session.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// An empty watch that ends properly sooner than this was not willing.
constexpr seconds kShortWatch{5};
// A watch that lived this long is proof of health, as is a new frame.
constexpr seconds kHealthyWatch{60};
constexpr int kMaxServerErrors = 5;
// How long a watch from an earlier process's version may be silent.
constexpr seconds kProvingWatch{10};

WatchEnd ToWatchEnd(ErrorCode code) {
  switch (code) {
    case ErrorCode::kExpired:
      return WatchEnd::kExpired;
    case ErrorCode::kThrottled:
      return WatchEnd::kThrottled;
    case ErrorCode::kUnauthorized:
      return WatchEnd::kUnauthorized;
    case ErrorCode::kForbidden:
      return WatchEnd::kForbidden;
    case ErrorCode::kNotFound:
      return WatchEnd::kNotFound;
    case ErrorCode::kRejected:
      return WatchEnd::kRejected;
    case ErrorCode::kCancelled:
      return WatchEnd::kCancelled;
    default:
      return WatchEnd::kUnavailable;
  }
}

std::string_view Name(WatchEnd end) {
  return kWatchEndNames[static_cast<size_t>(end)];
}

// How an open watch ended that we did not end ourselves.
WatchEnd EndOfStream(WatchOutcome::End end, bool cut_inside_frame) {
  switch (end) {
    case WatchOutcome::End::kComplete:
      return cut_inside_frame ? WatchEnd::kTruncated : WatchEnd::kClean;
    case WatchOutcome::End::kTimeout:
      return WatchEnd::kTimeout;
    case WatchOutcome::End::kStopped:
      return WatchEnd::kCancelled;
    case WatchOutcome::End::kTruncated:
    case WatchOutcome::End::kAborted:
    case WatchOutcome::End::kFailed:
      break;
  }
  return WatchEnd::kTruncated;
}

Failure FromErrorFrame(const FrameInfo& frame) {
  const ErrorCode code = frame.status_code == 429 ? ErrorCode::kThrottled
                                                  : ErrorCode::kUnavailable;
  return {{code, "The watch was ended by an error: " + frame.status_message},
          frame.status_code,
          frame.retry_after};
}

// Not all watches of all clients shall end at once. kube-apiserver compacts
// every 300 s; 240 s to 290 s stay below.
seconds DrawWatchTimeout(seconds longest, double unit) {
  const auto high = static_cast<double>(longest.count());
  const double low = std::ceil(high * 24 / 29);
  return seconds(static_cast<int64_t>(low + (high - low + 1) * unit));
}

// A 5xx that says when to come back, and each 503, is overload: answering it
// with a list would make it worse.
bool AsksForPatience(const Failure& failure) {
  return failure.http_status == 503 || failure.retry_after.has_value();
}

}  // namespace

void Reflector::StepWatch(std::stop_token stop) {
  const seconds longest = unproven_
                              ? std::min(options_.watch_timeout, kProvingWatch)
                              : options_.watch_timeout;
  const WatchOptions options{point().resume(),
                             DrawWatchTimeout(longest, context_.random()),
                             SelectorOf(selectors_)};
  // Ends when the process does, and when a list is requested.
  std::stop_source end = watch_end_;
  const std::stop_callback pass_stop(std::move(stop),
                                     [&end] { end.request_stop(); });
  const WatchReport report = Watch(options, end.get_token());
  context_.stats.Count(report.end);
  LogDebug("Watch ended", {{"reflector", options_.name},
                           {"reason", Name(report.end)},
                           {"resource_version", options.resource_version},
                           {"lived_ms", report.lived.count()},
                           {"why", report.failure.error.message}});
  if (report.end == WatchEnd::kCancelled) {
    if (report.lived > milliseconds(0)) {
      whole_until_ = context_.clock.SteadyNow();
    }
    return;
  }
  if (report.progressed || report.lived > kHealthyWatch) backoff_.Reset();
  if (report.progressed || report.lived >= kShortWatch) watch_worked_ = true;
  if (report.progressed) unproven_ = false;
  OnWatchEnd(report);
}

// Its report's `lived` is 0 when it did not open.
Reflector::WatchReport Reflector::Watch(const WatchOptions& options,
                                        std::stop_token stop) {
  ExpectWithin(options.timeout + ListerWatcher::kReadMargin);
  const SteadyTime started = context_.clock.SteadyNow();
  const ResumePoint before = point();
  reader_.Reset();
  const auto on_open = [this] {
    NoteContact();
    server_errors_ = 0;
  };
  WatchSession session(on_open, reader_, handler_, context_.stats);
  WatchOutcome outcome = api().Watch(options, session, std::move(stop));
  const bool cut = session.Finish();

  WatchReport report;
  if (!session.opened()) {
    report.failure = std::move(outcome.failure);
    report.end = outcome.end == WatchOutcome::End::kStopped
                     ? WatchEnd::kCancelled
                     : ToWatchEnd(report.failure.error.code);
    return report;
  }
  report.end = session.verdict().value_or(EndOfStream(outcome.end, cut));
  report.lived = std::chrono::duration_cast<milliseconds>(
      context_.clock.SteadyNow() - started);
  if (report.end == WatchEnd::kClean) {
    if (!session.had_frames() &&
        report.lived < std::min<milliseconds>(kShortWatch, options.timeout)) {
      report.end = WatchEnd::kShort;
    } else {
      handler_.CompleteWatch();
    }
  }
  report.progressed =
      session.had_frames() && (point().newest() != before.newest() ||
                               point().resume() != before.resume());
  whole_until_ = std::max(whole_until_, point().newest_at());
  if (report.end == WatchEnd::kThrottled || report.end == WatchEnd::kError) {
    report.failure = FromErrorFrame(session.error_frame());
  }
  return report;
}

void Reflector::OnWatchEnd(const WatchReport& report) {
  switch (report.end) {
    case WatchEnd::kClean:
      return OnCleanEnd(report);
    case WatchEnd::kShort:
      // Some API servers answer a version they no longer have with an empty
      // stream instead of 410 (k/k#104171): asking again would go on for ever.
      return ListAfterBackoff(Name(report.end));
    case WatchEnd::kTruncated:
    case WatchEnd::kTimeout:
      if (report.progressed) return;
      return WatchAfterBackoff();
    case WatchEnd::kExpired:
    case WatchEnd::kOversize:
      return ListSoon(Name(report.end));
    case WatchEnd::kError:
      NoteProblem("watch", report.failure.error);
      return ListAfterBackoff(Name(report.end));
    case WatchEnd::kMalformed:
    case WatchEnd::kUnknownType:
      return OnPoison(report);
    case WatchEnd::kUnavailable:
      return OnServerError(report);
    case WatchEnd::kThrottled:
    case WatchEnd::kUnauthorized:
    case WatchEnd::kForbidden:
    case WatchEnd::kNotFound:
    case WatchEnd::kRejected:
      NoteProblem("watch", report.failure.error);
      return Retry(report.failure, ReflectorState::kWaitToWatch);
    case WatchEnd::kCancelled:
      return;
  }
}

void Reflector::OnCleanEnd(const WatchReport& report) {
  const SteadyTime now = context_.clock.SteadyNow();
  whole_until_ = now;
  if (unproven_) return ListNow("silent since the restart");
  if (now - point().resume_at() > kCompactionMargin) {
    // Most likely compacted by now: a 410 would only be a detour. It is also
    // how a restored etcd is noticed, for a watch of a version from the future
    // is silent.
    return ListNow("old resourceVersion");
  }
  // A stream that only repeats itself and ends at once must not be a busy loop.
  if (!report.progressed && report.lived < kShortWatch) WatchAfterBackoff();
}

// A frame that cannot be understood. It may have been torn on the way, so it is
// asked for once more; a list leads past it.
void Reflector::OnPoison(const WatchReport& report) {
  if (poisoned_at_ == point().resume())
    return ListAfterBackoff(Name(report.end));
  poisoned_at_ = point().resume();
  LogWarn("A frame cannot be read; watching again from before it",
          {{"reflector", options_.name},
           {"reason", Name(report.end)},
           {"resource_version", poisoned_at_}});
  if (!report.progressed) WatchAfterBackoff();
}

void Reflector::OnServerError(const WatchReport& report) {
  NoteProblem("watch", report.failure.error);
  const bool counts =
      report.failure.http_status >= 500 && !AsksForPatience(report.failure);
  if (counts && ++server_errors_ == kMaxServerErrors) {
    server_errors_ = 0;
    return ListAfterBackoff("server errors");
  }
  Retry(report.failure, ReflectorState::kWaitToWatch);
}

}  // namespace kem

// Watches: how long they last, and what their end means.
#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "reflector/reflector.h"
#include "reflector/watch_session.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A watch that lived this long, or as long as it asked for, is healthy, however
// it ended. An empty one that ends properly sooner is suspect.
constexpr seconds kHealthyWatch{5};
constexpr int kMaxServerErrors = 5;
// Watches without late watch events after which none are expected.
constexpr int kTimelyWatches = 2;
// How long a watch from an earlier process's resume point may be silent.
constexpr seconds kProvingWatch{10};
// The API server sends what happened since the resume point at once, and
// nothing marks its end.
constexpr seconds kCatchUp{1};

std::string_view Name(WatchEnd end) {
  return kWatchEndNames[static_cast<size_t>(end)];
}

// For an open watch that the session did not end.
WatchEnd EndOfStream(WatchOutcome::End end, bool cut_inside_frame) {
  using End = WatchOutcome::End;
  if (end == End::kComplete && !cut_inside_frame) return WatchEnd::kClean;
  if (end == End::kTimeout) return WatchEnd::kTimeout;
  if (end == End::kStopped) return WatchEnd::kCancelled;
  return WatchEnd::kTruncated;
}

Failure FromErrorFrame(const FrameInfo& frame) {
  const ErrorCode code = frame.status_code == 429 ? ErrorCode::kThrottled
                                                  : ErrorCode::kUnavailable;
  return {{code, "The API server ended the watch with an error: " +
                     frame.status_message},
          frame.status_code,
          frame.retry_after};
}

// Random, so that the watches of all clients do not end at once. kube-apiserver
// compacts every 300 s; 240 s to 290 s stay below.
seconds DrawWatchTimeout(seconds longest, double unit) {
  const auto high = static_cast<double>(longest.count());
  const double low = std::ceil(high * 24 / 29);
  return seconds(static_cast<int64_t>(low + (high - low + 1) * unit));
}

// A 503, or a 5xx with Retry-After, is overload: a list would make it worse.
bool IsOverload(const Failure& failure) {
  return failure.http_status == 503 || failure.retry_after.has_value();
}

}  // namespace

struct Reflector::WatchReport {
  WatchEnd end = WatchEnd::kClean;
  Failure failure;          // why it did not open, or the ERROR event
  bool progressed = false;  // to a newer resourceVersion
  bool healthy = false;
  milliseconds lived{0};   // 0 when it did not open
  milliseconds silent{0};  // of them, after the last news
  // The next request needs no back-off.
  bool at_once = false;
};

void Reflector::StepWatch(std::stop_token stop) {
  seconds longest = watch_limit_.Longest(context_.clock.SteadyNow());
  if (watching_.unproven) longest = std::min(longest, kProvingWatch);
  const WatchOptions options{point().resume(),
                             DrawWatchTimeout(longest, context_.random()),
                             SelectorOf(selectors_)};
  // Ends on a stop and when a list is requested.
  std::stop_source end = watch_end_;
  const std::stop_callback pass_stop(std::move(stop),
                                     [&end] { end.request_stop(); });
  WatchReport report = RunWatch(options, end.get_token());
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
  JudgeLife(report);
  OnWatchEnd(report);
}

// A short watch that brought news is followed by another at once, but only one:
// a server can end each of them directly after something new.
void Reflector::JudgeLife(WatchReport& report) {
  if (report.healthy) {
    hasty_watches_ = 0;
  } else if (report.progressed) {
    ++hasty_watches_;
  }
  report.at_once = report.healthy || (report.progressed && hasty_watches_ == 1);
  if (report.at_once) {
    backoff_.Reset();
    watching_.worked = true;
  }
  if (report.progressed) watching_.unproven = false;
  if (report.end != WatchEnd::kTruncated) return watch_limit_.Forget();
  const auto limit = watch_limit_.NoteCut(report.lived, report.silent,
                                          context_.clock.SteadyNow());
  if (!limit) return;
  LogInfo("Watches are cut at about the same age, asking for shorter ones",
          {{"reflector", options_.name},
           {"cut_after_ms", report.lived.count()},
           {"watch_timeout_s", limit->count()}});
}

// After a watch that brought new Events, and after a list that shows some which
// a watch did not bring.
void Reflector::JudgeDelivery(uint64_t late) {
  context_.stats.late_watch_events += late;
  timely_watches_ = late > 0 ? 0 : timely_watches_ + 1;
  if (late > 0 && status_.SetLate(true)) {
    LogWarn(
        "Events arrive late: a proxy between the exporter and the API server "
        "may buffer them",
        {{"reflector", options_.name}, {"late", late}});
  }
  if (timely_watches_ >= kTimelyWatches && status_.SetLate(false)) {
    LogInfo("Events arrive in time", {{"reflector", options_.name}});
  }
}

Reflector::WatchReport Reflector::RunWatch(const WatchOptions& options,
                                           std::stop_token stop) {
  ExpectWithin(options.timeout + ListerWatcher::kReadMargin);
  const SteadyTime started = context_.clock.SteadyNow();
  const ResumePoint before = point();
  reader_.Reset();
  delivery_lag_.BeginWatch(started);
  const auto on_open = [this] {
    NoteContact();
    status_.SetCaughtUpAt(context_.clock.SteadyNow() + kCatchUp);
    server_errors_ = 0;
  };
  WatchSession session(on_open, reader_, handler_, delivery_lag_,
                       context_.stats);
  WatchOutcome outcome = api().Watch(options, session, std::move(stop));
  status_.SetWatchEnded(context_.clock.SteadyNow());
  const bool cut = session.Finish();
  if (const auto late = delivery_lag_.EndWatch()) JudgeDelivery(*late);

  WatchReport report;
  if (!session.opened()) {
    report.failure = std::move(outcome.failure);
    report.end = outcome.end == WatchOutcome::End::kStopped
                     ? WatchEnd::kCancelled
                     : FromErrorCode(report.failure.error.code, kWatchEndNames,
                                     WatchEnd::kUnavailable);
    // Only a stream can have an unreadable watch event.
    if (report.end == WatchEnd::kMalformed) report.end = WatchEnd::kUnavailable;
    return report;
  }
  report.end = session.verdict().value_or(EndOfStream(outcome.end, cut));
  const SteadyTime ended = context_.clock.SteadyNow();
  report.lived = std::chrono::duration_cast<milliseconds>(ended - started);
  report.silent = std::chrono::duration_cast<milliseconds>(
      ended - std::max(started, point().newest_at()));
  report.healthy =
      report.lived >= std::min<milliseconds>(kHealthyWatch, options.timeout);
  if (report.end == WatchEnd::kClean && !session.had_frames() &&
      !report.healthy) {
    report.end = WatchEnd::kShort;
  }
  report.progressed =
      session.had_frames() && (point().newest() != before.newest() ||
                               point().resume() != before.resume());
  whole_until_ = std::max(whole_until_, point().newest_at());
  if (!session.answer().empty()) {
    report.failure.error = {ErrorCode::kMalformed,
                            "The watch of " + api().path() +
                                " returned no watch event, but " +
                                session.answer()};
  }
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
      // Some API servers respond to a compacted version with an empty stream
      // instead of 410 (k/k#104171): watching again would never end.
      return ListAfterBackoff(Name(report.end));
    case WatchEnd::kTruncated:
    case WatchEnd::kTimeout:
      if (!report.at_once) WatchAfterBackoff();
      return;
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
  watching_.silent_until = now;
  if (watching_.unproven) return ListNow("silent since the restart");
  if (now - point().resume_at() > kCompactionMargin) {
    // Probably compacted: the next watch would get a 410. The list also detects
    // a restored etcd, because a watch from a future version is silent.
    return ListNow("old resourceVersion");
  }
  if (!report.at_once) WatchAfterBackoff();
}

// An unreadable watch event may be damaged in transit, so the watch requests it
// once more. Then a list skips it. Only the first since a list is logged. What
// is no watch at all, such as a login page, is a problem of its own.
void Reflector::OnPoison(const WatchReport& report) {
  const uint64_t resume = point().resume();
  const bool other = !report.failure.error.message.empty();
  if (other) NoteProblem("watch", report.failure.error);
  if (watching_.poisoned_at == resume) {
    return ListAfterBackoff(Name(report.end));
  }
  const auto log = watching_.poisoned_at == 0 && !other ? LogWarn : LogDebug;
  log("Watch event unreadable, watching again from before it",
      {{"reflector", options_.name},
       {"reason", Name(report.end)},
       {"resource_version", resume}});
  watching_.poisoned_at = resume;
  if (!report.at_once) WatchAfterBackoff();
}

void Reflector::OnServerError(const WatchReport& report) {
  NoteProblem("watch", report.failure.error);
  const bool counts =
      report.failure.http_status >= 500 && !IsOverload(report.failure);
  if (counts && ++server_errors_ == kMaxServerErrors) {
    server_errors_ = 0;
    return ListAfterBackoff("server errors");
  }
  Retry(report.failure, ReflectorState::kWaitToWatch);
}

}  // namespace kem

// Watches: how long they last, and what their end means.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "apiserver/api_status.h"
#include "base/log.h"
#include "reflector/reflector.h"

namespace kem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// An empty watch that ends properly sooner than this is suspect.
constexpr seconds kShortWatch{5};
// A watch that lived this long proves health, as does a new watch event.
constexpr seconds kHealthyWatch{60};
constexpr int kMaxServerErrors = 5;
// How long a watch from an earlier process's resume point may be silent.
constexpr seconds kProvingWatch{10};

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

WatchEnd JudgeError(const FrameInfo& info) {
  if (IsExpired(info.status_code, info.status_reason)) {
    return WatchEnd::kExpired;
  }
  return info.status_code == 429 ? WatchEnd::kThrottled : WatchEnd::kError;
}

// One watch: passes its frames to the handler and records what they show about
// the stream. Ends the stream at the first frame after which the rest is
// useless.
class WatchSession : public WatchHandler {
 public:
  // `reader` must be reset. `on_open` is called when the API server accepts the
  // watch.
  WatchSession(std::function<void()> on_open, FrameReader& reader,
               ObjectHandler& handler, SessionStats& stats)
      : on_open_(std::move(on_open)),
        reader_(reader),
        handler_(handler),
        stats_(stats) {}

  void OnOpen(std::optional<WallTime> server_time) override {
    opened_ = true;
    if (server_time) handler_.NoteServerTime(*server_time);
    on_open_();
  }
  bool OnBytes(std::string_view bytes) override;

  // Ends the stream. Returns whether it was cut inside a frame, which then
  // counts as dropped.
  bool Finish();

  bool opened() const { return opened_; }
  // Bookmarks included.
  bool had_frames() const { return had_frames_; }
  // Why the session ended the stream; empty if it did not.
  std::optional<WatchEnd> verdict() const { return verdict_; }
  // The ERROR event, if that is why.
  const FrameInfo& error_frame() const { return error_frame_; }

 private:
  void Apply(std::string_view bytes);
  void Judge(const FrameInfo& info);
  void Drop(DropReason reason, WatchEnd verdict) {
    stats_.Count(reason);
    verdict_ = verdict;
  }
  void FlushCounts();

  const std::function<void()> on_open_;
  FrameReader& reader_;
  ObjectHandler& handler_;
  SessionStats& stats_;

  bool opened_ = false;
  bool had_frames_ = false;
  std::optional<WatchEnd> verdict_;
  FrameInfo error_frame_;
  std::array<uint64_t, kFrameTypeNames.size()> counts_{};
};

bool WatchSession::OnBytes(std::string_view bytes) {
  if (verdict_) return false;
  reader_.Append(bytes);
  while (!verdict_) {
    const std::optional<Frame> frame = reader_.Next();
    if (!frame) break;
    switch (frame->kind) {
      case Frame::Kind::kWhole:
        Apply(frame->bytes);
        break;
      case Frame::Kind::kMalformed:
        Drop(DropReason::kMalformed, WatchEnd::kMalformed);
        break;
      case Frame::Kind::kOversize:
        Drop(DropReason::kOversize, WatchEnd::kOversize);
        break;
    }
  }
  FlushCounts();
  return !verdict_;
}

bool WatchSession::Finish() {
  // After a verdict the connection is not the cause.
  const bool cut = reader_.Finish() > 0 && !verdict_;
  if (cut) stats_.Count(DropReason::kTruncated);
  return cut;
}

void WatchSession::Apply(std::string_view bytes) {
  while (!bytes.empty() && !verdict_) {
    FrameInfo info = handler_.ApplyFrame(bytes);
    if (info.consumed == 0) info.type = FrameType::kMalformed;
    Judge(info);
    bytes.remove_prefix(std::min(info.consumed, bytes.size()));
    while (!bytes.empty() && IsJsonSpace(bytes.front())) bytes.remove_prefix(1);
  }
}

void WatchSession::Judge(const FrameInfo& info) {
  if (info.type != FrameType::kMalformed) {
    ++counts_[static_cast<size_t>(info.type)];
  }
  switch (info.type) {
    case FrameType::kAdded:
    case FrameType::kModified:
    case FrameType::kDeleted:
    case FrameType::kBookmark:
      had_frames_ = true;
      return;
    case FrameType::kError:
      // The API server ends the stream directly after it (etcd3/watcher.go).
      verdict_ = JudgeError(info);
      error_frame_ = info;
      return;
    case FrameType::kUnknown:
      // Its resourceVersion is ignored: only a list may skip it.
      return Drop(DropReason::kUnknownType, WatchEnd::kUnknownType);
    case FrameType::kMalformed:
      return Drop(DropReason::kMalformed, WatchEnd::kMalformed);
  }
}

void WatchSession::FlushCounts() {
  for (size_t type = 0; type < counts_.size(); ++type) {
    if (counts_[type] == 0) continue;
    stats_.frames[type] += std::exchange(counts_[type], 0);
  }
}

}  // namespace

struct Reflector::WatchReport {
  WatchEnd end = WatchEnd::kClean;
  Failure failure;          // why it did not open, or the ERROR event
  bool progressed = false;  // to a newer resourceVersion
  milliseconds lived{0};    // 0 when it did not open
};

void Reflector::StepWatch(std::stop_token stop) {
  const seconds longest = watching_.unproven
                              ? std::min(options_.watch_timeout, kProvingWatch)
                              : options_.watch_timeout;
  const WatchOptions options{point().resume(),
                             DrawWatchTimeout(longest, context_.random()),
                             SelectorOf(selectors_)};
  // Ends on a stop and when a list is requested.
  std::stop_source end = watch_end_;
  const std::stop_callback pass_stop(std::move(stop),
                                     [&end] { end.request_stop(); });
  const WatchReport report = RunWatch(options, end.get_token());
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
  if (report.progressed || report.lived >= kShortWatch) watching_.worked = true;
  if (report.progressed) watching_.unproven = false;
  OnWatchEnd(report);
}

Reflector::WatchReport Reflector::RunWatch(const WatchOptions& options,
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
                     : FromErrorCode(report.failure.error.code, kWatchEndNames,
                                     WatchEnd::kUnavailable);
    // Only a stream can have an unreadable watch event.
    if (report.end == WatchEnd::kMalformed) report.end = WatchEnd::kUnavailable;
    return report;
  }
  report.end = session.verdict().value_or(EndOfStream(outcome.end, cut));
  report.lived = std::chrono::duration_cast<milliseconds>(
      context_.clock.SteadyNow() - started);
  if (report.end == WatchEnd::kClean && !session.had_frames() &&
      report.lived < std::min<milliseconds>(kShortWatch, options.timeout)) {
    report.end = WatchEnd::kShort;
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
      // Some API servers respond to a compacted version with an empty stream
      // instead of 410 (k/k#104171): watching again would never end.
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
  if (watching_.unproven) return ListNow("silent since the restart");
  if (now - point().resume_at() > kCompactionMargin) {
    // Probably compacted: the next watch would get a 410. The list also detects
    // a restored etcd, because a watch from a future version is silent.
    return ListNow("old resourceVersion");
  }
  // Prevents a busy loop on a stream that ends at once with replays only.
  if (!report.progressed && report.lived < kShortWatch) WatchAfterBackoff();
}

// An unreadable watch event may be damaged in transit, so the watch requests it
// once more. Then a list skips it.
void Reflector::OnPoison(const WatchReport& report) {
  if (watching_.poisoned_at == point().resume())
    return ListAfterBackoff(Name(report.end));
  watching_.poisoned_at = point().resume();
  LogWarn("Watch event unreadable, watching again from before it",
          {{"reflector", options_.name},
           {"reason", Name(report.end)},
           {"resource_version", watching_.poisoned_at}});
  if (!report.progressed) WatchAfterBackoff();
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

#include "offline/offline.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "apiserver/api_status.h"
#include "base/io_waiter.h"
#include "base/log.h"
#include "base/safe_text.h"
#include "base/startup_memory.h"
#include "base/unique_fd.h"
#include "endpoints/endpoints.h"
#include "events/discovery.h"
#include "events/event.h"
#include "metrics/exposition.h"
#include "offline/offline_reader.h"
#include "pipeline/pipeline.h"
#include "version.h"

namespace kem {
namespace {

constexpr size_t kReadBytes = size_t{256} << 10U;

class NoApiServer : public HttpTransport {
 public:
  HttpOutcome Send(const HttpRequest&, HttpHandler&, std::stop_token) override {
    return {HttpEnd::kStopped, "there is no API server"};
  }
};

// The pipeline does not wait for discovery when this is its token.
std::stop_token Stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

// The Events of the input, counted.
class Offline {
 public:
  // Series do not expire: the input is the past.
  Offline(const Options& options, std::chrono::seconds initial_zero)
      : name_(options.events_from),
        discovery_(transport_, clock_),
        ledger_({initial_zero, options.max_series, std::chrono::seconds(0),
                 options.exemplars},
                Hasher()),
        world_(discovery_, clock_, std::chrono::seconds(0), ledger_),
        empty_({}, ledger_.hash()),
        pipeline_(world_, "", clock_, Stopped()),
        own_({world_.session, world_.occurrences, world_.scopes.stats(), http_,
              reloads_, state_, [this] { return Counts(); },
              [this] { return whole_.load(); },
              [] { return std::vector<SinkStatus>(); },
              [] { return ReplicaStatus(); },
              [] { return std::optional<HistoryReport>(); }, clock_.WallNow(),
              options.external_url}) {
    world_.filter = std::make_shared<const EventFilter>(options.filter);
    world_.preset_reasons = false;  // nothing more will happen
    world_.recent = RecentEvents(RecentEvents::Span::kAll);
    seen_.name = name_ == "-" ? "standard input" : name_;
  }

  // Reads to the end of the input. The error names the file.
  Result<void> Read(std::stop_token stop);

  HttpContent Content(const Options& options);
  // Half a dump would look like a counter's reset.
  const SeriesTable& Shown() const {
    return whole_ ? ledger_.series() : empty_;
  }
  // Writes the exposition to standard output. False when that fails.
  bool Print();
  HttpStats& http() { return http_; }
  uint64_t counted() const { return counted_; }
  const std::string& name() const { return name_; }

 private:
  void Take(const OfflineReader::Object& object);
  FrameInfo Apply(const OfflineReader::Object& object);
  void LeaveOut(std::string_view kind);
  void See(const Event& event);
  void Report() const;
  Result<void> Judge(const OfflineReader& reader) const;
  std::string LeftOut() const;
  Error Wrong(const std::string& why) const {
    return Error{ErrorCode::kInternal, "--events.from " + name_ + ": " + why};
  }
  SeriesCounts Counts() {
    const std::lock_guard guard(world_.mutex);
    return world_.ledger.series().Counts();
  }

  const std::string name_;
  RealClock clock_;
  NoApiServer transport_;
  const Discovery discovery_;
  Ledger ledger_;
  EventWorld world_;
  const SeriesTable empty_;
  Pipeline pipeline_;
  HttpStats http_;
  const StateStats state_;
  ReloadStats reloads_;  // there is nothing to reload
  const OwnMetrics own_;
  std::atomic<bool> whole_{false};
  PageData::Input seen_;  // guarded by world_.mutex
  std::string frame_;
  uint64_t counted_ = 0;
  uint64_t empty_lists_ = 0;
  uint64_t others_ = 0;
  std::string other_kind_;  // the first one
  uint64_t malformed_ = 0;
  std::string refusal_;  // the API server's first error
};

Result<void> Offline::Read(std::stop_token stop) {
  const UniqueFd fd(name_ == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                 : ::open(name_.c_str(), O_RDONLY | O_CLOEXEC));
  const auto failed = [this] {
    return Wrong("cannot be read: " + SystemMessage(errno));
  };
  if (!fd.has_value()) return failed();
  OfflineReader reader(
      [this](const OfflineReader::Object& object) { Take(object); });
  IoWaiter waiter(std::move(stop), std::chrono::hours(24 * 36500));
  std::vector<char> buffer(kReadBytes);
  while (true) {
    const IoWaiter::Outcome outcome =
        waiter.Wait(fd.get(), POLLIN, std::chrono::hours(24));
    if (outcome == IoWaiter::Outcome::kStopped) return {};
    if (outcome != IoWaiter::Outcome::kReady) continue;
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return failed();
    if (got == 0) break;
    const Result<void> read =
        reader.Append({buffer.data(), static_cast<size_t>(got)});
    if (!read) {
      whole_ = true;
      return Wrong(read.error().message);
    }
    if (reader.Between()) whole_ = true;
  }
  const Result<void> finished = reader.Finish();
  whole_ = true;
  if (!finished) {
    Report();
    if (!reader.empty()) world_.session.Count(DropReason::kTruncated);
    return Wrong(finished.error().message);
  }
  Result<void> judged = Judge(reader);
  if (judged) Report();
  return judged;
}

HttpContent Offline::Content(const Options& options) {
  HttpContent content =
      ServeWorld({options, world_, own_, clock_,
                  [this]() -> const SeriesTable& { return Shown(); }, [] {},
                  [this](PageData& data) {
                    const std::lock_guard guard(world_.mutex);
                    data.input = seen_;
                    data.input->whole = whole_;
                  }});
  content.livez = [] { return Health{true, "ok\n"}; };
  content.readyz = [this] {
    if (whole_) return Health{true, "ok\n"};
    return Health{false, "not ready: reading the input is not finished\n"};
  };
  return content;
}

void Offline::Take(const OfflineReader::Object& object) {
  if (!object.listed) whole_ = true;
  // Go writes a list without items as null.
  if (!object.frame && !object.listed &&
      (object.kind == "EventList" || object.kind == "List")) {
    ++empty_lists_;
    return;
  }
  if (!object.IsEvent() && object.kind != "Status") {
    return LeaveOut(object.kind);
  }
  const FrameInfo info = Apply(object);
  if (info.type == FrameType::kMalformed) {
    ++malformed_;
    world_.session.Count(DropReason::kMalformed);
    return;
  }
  ++world_.session.frames[static_cast<size_t>(info.type)];
  if (info.type == FrameType::kUnknown) return LeaveOut(object.kind);
  if (info.type != FrameType::kError) {
    ++counted_;
    return;
  }
  const std::string words =
      StatusText(info.status_code, info.status_reason, info.status_message);
  if (words.empty()) return LeaveOut(object.kind);  // of a success
  if (refusal_.empty()) refusal_ = words;
}

FrameInfo Offline::Apply(const OfflineReader::Object& object) {
  std::string_view frame = object.json;
  if (!object.frame) {
    frame_.assign(object.kind == "Status" ? R"({"type":"ERROR","object":)"
                                          : R"({"type":"ADDED","object":)");
    frame_.append(object.json) += '}';
    const size_t size = frame_.size();
    frame_.append(kJsonPadding, ' ');
    frame = std::string_view(frame_).substr(0, size);
  }
  Event event;
  FrameInfo info = pipeline_.ApplyFrame(frame, event);
  if (info.type == FrameType::kAdded || info.type == FrameType::kModified) {
    See(event);
  }
  return info;
}

void Offline::LeaveOut(std::string_view kind) {
  if (others_++ == 0) other_kind_ = kind.empty() ? "unknown" : OneLine(kind);
  world_.session.Count(DropReason::kUnknownType);
}

// For the page.
void Offline::See(const Event& event) {
  // Go's zero time is the year 1.
  const WallTime first =
      event.first_seen > WallTime() ? event.first_seen : event.occurred_at;
  const std::lock_guard guard(world_.mutex);
  seen_.oldest = seen_.events == 0 ? first : std::min(seen_.oldest, first);
  seen_.newest = std::max(seen_.newest, event.occurred_at);
  ++seen_.events;
}

void Offline::Report() const {
  LogInfo("Events read", {{"from", name_}, {"objects", counted_}});
  if (!refusal_.empty()) {
    LogWarn(
        "The input has an error of the API server; later Events may be "
        "missing",
        {{"from", name_}, {"error", refusal_}});
  }
  if (others_ + malformed_ == 0) return;
  LogWarn("Skipped objects that are not valid Events",
          {{"from", name_},
           {"other_kinds", others_},
           {"malformed", malformed_},
           {"first_other_kind", other_kind_}});
}

// Whether there was anything to count, at the end of a well-formed input.
Result<void> Offline::Judge(const OfflineReader& reader) const {
  if (counted_ + empty_lists_ + reader.empty_lists() > 0) return {};
  if (!refusal_.empty()) {
    return Wrong("it has no Events, but an error of the API server: " +
                 refusal_);
  }
  if (others_ + malformed_ > 0) {
    return Wrong("it has no valid Events; objects left out: " + LeftOut());
  }
  return Wrong(reader.empty() ? "it is empty; kubectl may have failed"
                              : "it has a list, but not of Events");
}

std::string Offline::LeftOut() const {
  std::string text;
  if (others_ > 0) {
    text = std::to_string(others_) + " of other kinds (first: " + other_kind_ +
           ")";
  }
  if (malformed_ == 0) return text;
  if (others_ > 0) text += " and ";
  return text + std::to_string(malformed_) +
         " without a name or a resourceVersion";
}

bool Offline::Print() {
  Exposition exposition(world_.mutex, Shown(), own_, clock_);
  std::string piece;
  bool more = true;
  while (more) {
    piece.clear();
    more = exposition.Next(piece);
    if (std::fwrite(piece.data(), 1, piece.size(), stdout) != piece.size()) {
      return false;
    }
  }
  return std::fflush(stdout) == 0;
}

int RunOnce(const Options& options) {
  // No first scrape will come that needs the initial zero.
  Offline offline(options, std::chrono::seconds(0));
  const Result<void> read = offline.Read({});
  if (!read)
    LogError("Reading Events failed", {{"error", read.error().message}});
  // Half a support bundle is better than none.
  if (!read && offline.counted() == 0) return 1;
  return offline.Print() && read ? 0 : 1;
}

}  // namespace

Result<void> CheckOffline(const Options& options) {
  if (options.events_from == "-") return {};
  return Offline(options, std::chrono::seconds(0)).Read({});
}

int RunOffline(const Options& options, const TerminationSignals& signals) {
  if (!options.sinks.empty()) {
    LogWarn("--events.from delivers nothing, ignoring the sinks",
            {{"sinks", options.sinks.size()}});
  }
  if (options.once) return RunOnce(options);
  Offline offline(options, options.initial_zero);
  LogInfo("Starting kube-event-metrics offline",
          {{"version", kVersion}, {"from", offline.name()}});
  std::unique_ptr<HttpServer> server =
      StartServer(options, offline.Content(options), offline.http());
  if (!server) return 1;
  std::jthread reading([&offline](std::stop_token stop) {
    const Result<void> read = offline.Read(std::move(stop));
    if (read) return;
    LogError("Reading Events failed", {{"error", read.error().message}});
    ::_exit(1);
  });
  ReleaseStartupPages();
  const int signal = signals.Wait();
  LogInfo("Stopping", {{"signal", signal}});
  reading.request_stop();
  reading.join();
  server.reset();
  return 0;
}

}  // namespace kem

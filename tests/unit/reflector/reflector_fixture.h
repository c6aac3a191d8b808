// A reflector with a scripted API server and a fake clock. Its requests, waits
// and calls of the handler go to one trace of lines, so that a test is a script
// and the expected trace.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "reflector/api_lister_watcher.h"
#include "reflector/json_scanner.h"
#include "reflector/reflector.h"
#include "testing/fake_clock.h"

namespace kem {

using Trace = std::vector<std::string>;

// The name of a list item that the handler rejects.
inline const std::string kNoEvent = "no Event";

class TracingClock : public FakeClock {
 public:
  explicit TracingClock(Trace& trace) : trace_(trace) {}
  bool SleepFor(std::chrono::milliseconds duration,
                std::stop_token stop) override {
    trace_.push_back("wait " + std::to_string(duration.count()));
    return FakeClock::SleepFor(duration, std::move(stop));
  }

 private:
  Trace& trace_;
};

// Decodes only what the reflector needs; counts nothing.
class TracingHandler : public ObjectHandler {
 public:
  TracingHandler(Trace& trace, const Clock& clock)
      : trace_(trace), clock_(clock) {}

  void BeginList() override { staged_ = "stage"; }
  std::vector<std::string> Selectors() const override { return selectors; }
  std::optional<WallTime> StageItem(std::string_view item) override {
    const auto json = nlohmann::json::parse(item, nullptr, false);
    const auto name = json.value("name", kNoEvent);
    if (name == kNoEvent) return {};
    staged_ += " " + name;
    return created;
  }
  void CommitList(const ListCommit& commit) override {
    trace_.push_back(staged_ + "; commit " +
                     std::to_string(commit.resource_version) +
                     (commit.new_epoch ? " new epoch" : ""));
    last_commit = commit;
    if (commit.bridge) {
      point.Bridge(commit.resource_version, commit.started);
    } else {
      point.Reset(commit.resource_version, commit.started);
    }
  }
  FrameInfo ApplyFrame(std::string_view bytes) override;
  const ResumePoint& resume_point() const override { return point; }
  void NoteServerTime(WallTime now) override { server_time = now; }

  ListCommit last_commit;
  std::optional<WallTime> server_time;
  WallTime created;  // of all list items
  ResumePoint point;
  std::vector<std::string> selectors;

 private:
  Trace& trace_;
  const Clock& clock_;
  std::string staged_;
};

inline FrameInfo TracingHandler::ApplyFrame(std::string_view bytes) {
  FrameInfo info;
  JsonScanner().Scan(bytes, info.consumed);
  const auto json =
      nlohmann::json::parse(bytes.substr(0, info.consumed), nullptr, false);
  if (!json.is_object() || !json.contains("type")) {
    trace_.push_back("malformed");
    return {};
  }
  const auto type = json["type"].get<std::string>();
  info.type = FrameType::kUnknown;
  for (size_t i = 0; i + 1 < kFrameTypeNames.size(); ++i) {
    if (type == kFrameTypeNames[i]) info.type = static_cast<FrameType>(i);
  }
  const auto& object = json["object"];
  if (info.type == FrameType::kError) {
    info.status_code = object.value("code", 0);
    info.status_reason = object.value("reason", "");
    if (object.contains("retry")) {
      info.retry_after = std::chrono::seconds(object["retry"].get<int>());
    }
    trace_.push_back("ERROR " + std::to_string(info.status_code));
    return info;
  }
  const auto version = object.value("rv", uint64_t{0});
  info.resource_version = version;
  if (object.contains("created")) {
    info.created = WallTime(std::chrono::seconds(object["created"].get<int>()));
  }
  if (info.type != FrameType::kUnknown) {
    point.Observe(version, clock_.SteadyNow());
  }
  trace_.push_back(type + " " + object.value("name", "") + "@" +
                   std::to_string(version));
  return info;
}

struct ScriptedList {
  uint64_t resource_version = 0;
  std::vector<std::string> names;
  std::string continue_token;
  std::chrono::milliseconds takes{0};
  std::optional<WallTime> server_time = {};
};

struct ScriptedWatch {
  std::vector<std::string> pieces;
  WatchOutcome::End end = WatchOutcome::End::kComplete;
  std::chrono::milliseconds lives{0};  // after the pieces
  std::optional<WallTime> server_time = {};
  std::chrono::milliseconds silent_first{0};  // before the pieces
};

// Responses to lists and watches, in sequence; a Failure rejects the request.
using Script = std::deque<std::variant<ScriptedList, ScriptedWatch, Failure>>;

class ScriptedApi : public ListerWatcher {
 public:
  ScriptedApi(std::string path, Script& script, TracingClock& clock,
              Trace& trace, std::stop_source& stop)
      : path_(std::move(path)),
        script_(script),
        clock_(clock),
        trace_(trace),
        stop_(stop) {}

  const std::string& path() const override { return path_; }
  std::optional<Failure> List(const ListOptions& options,
                              std::chrono::milliseconds timeout, ListPage& page,
                              std::stop_token) override;
  WatchOutcome Watch(const WatchOptions& options, WatchHandler& handler,
                     std::stop_token) override;

  // Called during each watch.
  std::function<void()> while_open = [] {};
  std::vector<std::chrono::milliseconds> list_timeouts;
  std::vector<std::chrono::seconds> watch_timeouts;

 private:
  const std::string path_;
  Script& script_;
  TracingClock& clock_;
  Trace& trace_;
  std::stop_source& stop_;
};

inline std::optional<Failure> ScriptedApi::List(
    const ListOptions& options, std::chrono::milliseconds timeout,
    ListPage& page, std::stop_token) {
  trace_.push_back("LIST " + path_ + ToQuery(options));
  list_timeouts.push_back(timeout);
  if (script_.empty()) {
    stop_.request_stop();
    return Failure{{ErrorCode::kCancelled, ""}, 0, {}};
  }
  const auto answer = std::move(script_.front());
  script_.pop_front();
  if (const auto* failure = std::get_if<Failure>(&answer)) return *failure;
  const auto& list = std::get<ScriptedList>(answer);
  clock_.Advance(list.takes);
  page.server_time = list.server_time;
  nlohmann::json json;
  json["metadata"]["resourceVersion"] = std::to_string(list.resource_version);
  json["metadata"]["continue"] = list.continue_token;
  json["items"] = nlohmann::json::array();
  for (const auto& name : list.names) json["items"].push_back({{"name", name}});
  page.body = json.dump();
  if (!ParseListPage(page)) ADD_FAILURE() << page.body;
  return {};
}

inline WatchOutcome ScriptedApi::Watch(const WatchOptions& options,
                                       WatchHandler& handler,
                                       std::stop_token stop) {
  trace_.push_back("WATCH " + path_ + std::to_string(options.resource_version) +
                   options.field_selector);
  watch_timeouts.push_back(options.timeout);
  if (script_.empty()) {
    stop_.request_stop();
    return {WatchOutcome::End::kStopped, {}};
  }
  const auto answer = std::move(script_.front());
  script_.pop_front();
  if (const auto* failure = std::get_if<Failure>(&answer)) {
    return {WatchOutcome::End::kFailed, *failure};
  }
  const auto& watch = std::get<ScriptedWatch>(answer);
  clock_.Advance(watch.silent_first);
  handler.OnOpen(watch.server_time);
  for (const std::string& piece : watch.pieces) {
    if (!handler.OnBytes(piece)) return {WatchOutcome::End::kAborted, {}};
  }
  while_open();
  clock_.Advance(watch.lives);
  if (stop.stop_requested()) return {WatchOutcome::End::kStopped, {}};
  return {watch.end, {}};
}

class ReflectorTest : public ::testing::Test {
 protected:
  ReflectorTest() { Make({&api_}); }

  // Runs the script to its end. The last line of the trace is the request
  // without a response.
  const Trace& Play(Script script) {
    script_ = std::move(script);
    stop_ = std::stop_source();
    trace_.clear();
    reflector_->Run(stop_.get_token());
    return trace_;
  }

  // The same after an untraced list at version 100. The next request is the
  // watch under test.
  const Trace& PlayListed(Script script) {
    Play({ScriptedList{100, {"x"}, "", {}}});
    return Play(std::move(script));
  }

  void UseTwoApis() { Make({&api_, &other_api_}); }

  void Make(std::vector<ListerWatcher*> apis, ReflectorOptions options = {}) {
    reflector_ = std::make_unique<Reflector>(
        std::move(options), std::move(apis), handler_,
        ReflectorContext{clock_, stats_, [this] { return random_; }});
  }

  uint64_t Count(ListResult result) const {
    return stats_.lists[static_cast<size_t>(result)];
  }
  uint64_t Count(WatchEnd end) const {
    return stats_.watches[static_cast<size_t>(end)];
  }
  uint64_t Count(DropReason reason) const {
    return stats_.dropped[static_cast<size_t>(reason)];
  }
  uint64_t Count(FrameType type) const {
    return stats_.frames[static_cast<size_t>(type)];
  }
  ReflectorHealth health() const { return reflector_->status().Get(); }

  Trace trace_;
  Script script_;
  std::stop_source stop_;
  TracingClock clock_{trace_};
  TracingHandler handler_{trace_, clock_};
  SessionStats stats_;
  double random_ = 0;
  ScriptedApi api_{"", script_, clock_, trace_, stop_};
  ScriptedApi other_api_{"other ", script_, clock_, trace_, stop_};
  std::unique_ptr<Reflector> reflector_;
};

inline Failure Refused(ErrorCode code, int http_status = 0,
                       std::optional<std::chrono::seconds> retry_after = {}) {
  return {{code, "refused"}, http_status, retry_after};
}

inline std::string FrameOf(std::string_view type, std::string_view name,
                           uint64_t version) {
  return R"({"type":")" + std::string(type) + R"(","object":{"name":")" +
         std::string(name) + R"(","rv":)" + std::to_string(version) + "}}\n";
}
inline std::string Added(std::string_view name, uint64_t version) {
  return FrameOf("ADDED", name, version);
}
inline std::string Modified(std::string_view name, uint64_t version) {
  return FrameOf("MODIFIED", name, version);
}
inline std::string ErrorFrame(int code, std::string_view reason) {
  return R"({"type":"ERROR","object":{"code":)" + std::to_string(code) +
         R"(,"reason":")" + std::string(reason) + "\"}}\n";
}

// Streams that end properly, and streams that break.
inline ScriptedWatch Clean(std::vector<std::string> pieces,
                           std::chrono::milliseconds lives) {
  return {std::move(pieces), WatchOutcome::End::kComplete, lives, {}, {}};
}
inline ScriptedWatch Cut(std::vector<std::string> pieces,
                         std::chrono::milliseconds lives = {}) {
  return {std::move(pieces), WatchOutcome::End::kTruncated, lives, {}, {}};
}
}  // namespace kem

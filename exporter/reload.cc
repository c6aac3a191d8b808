#include "reload.h"

#include <utility>

#include "base/log.h"
#include "base/start_thread.h"

namespace kem {

Reloader::Reloader(Options running, Parse parse, Apply apply,
                   const Clock& clock, ReloadStats& stats)
    : parse_(std::move(parse)),
      apply_(std::move(apply)),
      clock_(clock),
      stats_(stats),
      running_(std::move(running)) {
  stats_.NoteSuccess(clock_.WallNow());
}

Result<std::string> Reloader::Reload(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  const uint64_t mine = ++requested_;
  if (!active_) {
    Result<std::jthread> thread =
        StartThread([this](const std::stop_token&) { Run(); });
    if (!thread) return Fail(thread.error().message);
    // The former one has left mutex_, so joining it takes no time.
    thread_ = std::move(*thread);
    active_ = true;
    begun_ = clock_.SteadyNow();
  }
  const auto left = begun_ + patience - clock_.SteadyNow();
  if (!changed_.wait_for(lock, left, [&] { return done_ >= mine; })) {
    return Error{ErrorCode::kInternal,
                 "the reload is in progress, the log shows its result"};
  }
  return result_;
}

void Reloader::Run() {
  std::unique_lock lock(mutex_);
  while (done_ < requested_) {
    const uint64_t requested = requested_;
    begun_ = clock_.SteadyNow();
    lock.unlock();
    Result<std::string> result = ReloadOnce();
    lock.lock();
    result_ = std::move(result);
    done_ = requested;
    changed_.notify_all();
  }
  active_ = false;
}

Result<std::string> Reloader::ReloadOnce() {
  if (running_.config_file.empty()) {
    const Error error =
        InvalidConfig("there is nothing to reload: start with --config.file");
    LogWarn("Reload ignored", {{"why", error.message}});
    return error;
  }
  const std::variant<Options, Exit> parsed = parse_();
  if (const auto* exit = std::get_if<Exit>(&parsed)) return Fail(exit->problem);
  const Result<std::string> ignored =
      ApplyChanges(*std::get_if<Options>(&parsed));
  if (!ignored) return Fail(ignored.error().message);
  stats_.Count(ReloadResult::kSuccess);
  stats_.NoteSuccess(clock_.WallNow());
  LogInfo("Reloaded", {{"file", running_.config_file}});
  if (ignored->empty()) return std::string("reloaded");
  LogWarn("Ignoring changed options that need a restart",
          {{"options", *ignored}});
  return "reloaded, but these need a restart: " + *ignored;
}

Error Reloader::Fail(const std::string& problem) {
  stats_.Count(ReloadResult::kFailure);
  stats_.last_successful = false;
  LogError("Reload failed, keeping the old configuration",
           {{"error", problem}});
  return InvalidConfig(problem);
}

// Returns the names of changed options that need a restart.
Result<std::string> Reloader::ApplyChanges(const Options& wanted) {
  // First, because only this can fail.
  if (wanted.sinks != running_.sinks) {
    const Result<void> applied = apply_.sinks(wanted.sinks);
    if (!applied) return applied.error();
    running_.sinks = wanted.sinks;
  }
  std::string ignored;
  for (size_t i = 0; i < OptionTable().size(); ++i) {
    const OptionRow& row = OptionTable()[i];
    if (row.reloadable || wanted.given[i] == running_.given[i]) continue;
    if (!ignored.empty()) ignored += ", ";
    ignored += row.name;
  }
  if (wanted.log_level != running_.log_level) {
    running_.log_level = wanted.log_level;
    InitLog(running_.log_level, running_.log_format);
  }
  if (wanted.filter != running_.filter) {
    apply_.filter(wanted.filter);
    running_.filter = wanted.filter;
  }
  return ignored;
}

}  // namespace kem

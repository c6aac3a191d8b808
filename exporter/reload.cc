#include "reload.h"

#include <utility>

#include "base/log.h"

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

Result<std::string> Reloader::Reload() {
  const std::lock_guard lock(mutex_);
  if (running_.config_file.empty()) {
    const Error error =
        InvalidConfig("there is nothing to reload: start with --config.file");
    LogWarn("Reload ignored", {{"why", error.message}});
    return error;
  }
  const std::variant<Options, Exit> parsed = parse_();
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    stats_.Count(ReloadResult::kFailure);
    stats_.last_successful = false;
    LogError("Reload failed, keeping the old configuration",
             {{"error", exit->problem}});
    return InvalidConfig(exit->problem);
  }
  const std::string ignored = ApplyChanges(*std::get_if<Options>(&parsed));
  stats_.Count(ReloadResult::kSuccess);
  stats_.NoteSuccess(clock_.WallNow());
  LogInfo("Reloaded", {{"file", running_.config_file}});
  if (ignored.empty()) return std::string("reloaded");
  LogWarn("Ignoring changed options that need a restart",
          {{"options", ignored}});
  return "reloaded, but these need a restart: " + ignored;
}

// Returns the names of changed options that need a restart.
std::string Reloader::ApplyChanges(const Options& wanted) {
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
  if (wanted.sinks != running_.sinks) {
    apply_.sinks(wanted.sinks);
    running_.sinks = wanted.sinks;
  }
  return ignored;
}

}  // namespace kem

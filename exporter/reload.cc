#include "reload.h"

#include <utility>

#include "base/log.h"

namespace kem {

Reloader::Reloader(Options running, Parse parse, PutToWork put_to_work,
                   const Clock& clock, ReloadStats& stats)
    : parse_(std::move(parse)),
      put_to_work_(std::move(put_to_work)),
      clock_(clock),
      stats_(stats),
      running_(std::move(running)) {
  stats_.NoteSuccess(clock_.WallNow());
}

Health Reloader::Reload() {
  const std::lock_guard lock(mutex_);
  if (running_.config_file.empty()) {
    const std::string sentence =
        "there is nothing to reload: start with --config.file";
    LogWarn("Not reloaded", {{"why", sentence}});
    return {false, sentence + "\n"};
  }
  const std::variant<Options, Exit> parsed = parse_();
  if (const auto* exit = std::get_if<Exit>(&parsed)) {
    return Refuse(exit->problem);
  }
  const std::string ignored = TakeOver(*std::get_if<Options>(&parsed));
  stats_.Count(ReloadResult::kSuccess);
  stats_.NoteSuccess(clock_.WallNow());
  LogInfo("Reloaded", {{"file", running_.config_file}});
  if (ignored.empty()) return {true, "reloaded\n"};
  LogWarn("Changed options that need a restart are ignored",
          {{"options", ignored}});
  return {true, "reloaded, but these need a restart: " + ignored + "\n"};
}

Health Reloader::Refuse(const std::string& sentence) {
  stats_.Count(ReloadResult::kFailure);
  stats_.last_successful = false;
  LogError("Not reloaded, the old configuration stays", {{"error", sentence}});
  return {false, sentence + "\n"};
}

// Returns the names of the options that would have changed and cannot.
std::string Reloader::TakeOver(const Options& wanted) {
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
    running_.filter = wanted.filter;
    put_to_work_.filter(running_.filter);
  }
  if (wanted.sinks != running_.sinks) {
    running_.sinks = wanted.sinks;
    put_to_work_.sinks(running_.sinks);
  }
  return ignored;
}

}  // namespace kem

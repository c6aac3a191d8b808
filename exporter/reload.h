// Applies changes of the configuration file while the process runs: filters,
// sinks and the log level. Called for SIGHUP and POST /-/reload. A bad file
// changes nothing; changed options that need a restart are reported and
// ignored. The app provides the functions that apply filters and sinks.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "config/flags.h"
#include "metrics/own_metrics.h"

namespace kem {

class Reloader {
 public:
  // Reads the command line and the file again.
  using Parse = std::function<std::variant<Options, Exit>()>;
  struct Apply {
    std::function<void(const FilterOptions&)> filter;
    std::function<void(const std::vector<SinkConfig>&)> sinks;
  };

  // `running` are the options at the start. `clock` and `stats` must outlive
  // this.
  Reloader(Options running, Parse parse, Apply apply, const Clock& clock,
           ReloadStats& stats);

  // The value and the error's message are one line for the requester; the
  // result is also logged and counted. Thread-safe.
  Result<std::string> Reload();

 private:
  std::string ApplyChanges(const Options& wanted);

  const Parse parse_;
  const Apply apply_;
  const Clock& clock_;
  ReloadStats& stats_;
  std::mutex mutex_;
  Options running_;  // guarded by mutex_
};

}  // namespace kem

// Applies changes of the configuration file while the process runs: filters,
// sinks and the log level. Called for SIGHUP and POST /-/reload. A reload that
// fails changes nothing; changed options that need a restart are reported and
// ignored. The app provides the functions that apply filters and sinks. Reloads
// run one at a time on a thread of their own, because a file may hang.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
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
    std::function<Result<void>(const std::vector<SinkConfig>&)> sinks;
  };

  // `running` are the options at the start. `clock` and `stats` must outlive
  // this.
  Reloader(Options running, Parse parse, Apply apply, const Clock& clock,
           ReloadStats& stats);

  // Reads the file as it is now or later: requests during a reload share the
  // next one. The value and the error's message are one line for the requester;
  // the result is also logged and counted. Thread-safe.
  //
  // Waits for the result, as Prometheus does, because scripts that change the
  // file need it. But not longer than `patience` after the reload in progress
  // began: then the error is that it is in progress, and it continues. So of
  // the requests that meet a file that hangs all but the first are answered at
  // once.
  Result<std::string> Reload(std::chrono::milliseconds patience);

 private:
  void Run();
  Result<std::string> ReloadOnce();
  Error Fail(const std::string& problem);
  Result<std::string> ApplyChanges(const Options& wanted);

  const Parse parse_;
  const Apply apply_;
  const Clock& clock_;
  ReloadStats& stats_;
  Options running_;  // of the thread
  // Up to the blank line guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t requested_ = 0;
  uint64_t done_ = 0;  // requests; result_ is that of the last
  Result<std::string> result_ = std::string();
  SteadyTime begun_;     // the reload in progress
  bool active_ = false;  // thread_ will see further requests

  std::jthread thread_;  // last, so that it ends first
};

}  // namespace kem

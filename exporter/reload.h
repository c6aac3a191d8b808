// Takes over what changed in the configuration file while the process runs: the
// filters, the sinks and the log level. Called for SIGHUP and for POST
// /-/reload. A bad file changes nothing; what cannot change while running is
// told and left as it is. Does not know how they are put to work: the app tells
// it.
#pragma once

#include <functional>
#include <mutex>
#include <variant>

#include "base/clock.h"
#include "config/flags.h"
#include "metrics/reload_stats.h"
#include "web/http_server.h"

namespace kem {

class Reloader {
 public:
  // Reads command line and file again.
  using Parse = std::function<std::variant<Options, Exit>()>;
  struct PutToWork {
    std::function<void(const FilterOptions&)> filter;
    std::function<void(const std::vector<SinkConfig>&)> sinks;
  };

  // `running` is what the process was started with. `clock` and `stats` must
  // outlive this.
  Reloader(Options running, Parse parse, PutToWork put_to_work,
           const Clock& clock, ReloadStats& stats);

  // How it went, in one line for whoever asked; also logged and counted.
  // Thread-safe.
  Health Reload();

 private:
  Health Refuse(const std::string& sentence);
  std::string TakeOver(const Options& wanted);

  const Parse parse_;
  const PutToWork put_to_work_;
  const Clock& clock_;
  ReloadStats& stats_;
  std::mutex mutex_;
  Options running_;  // guarded by mutex_
};

}  // namespace kem

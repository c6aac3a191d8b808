// SIGTERM, SIGINT and SIGHUP (reload) as a blocking call, because a signal
// handler may call next to nothing. Main creates one before it starts a thread:
// threads inherit the mask, so that only Wait receives the signals.
#pragma once

#include <csignal>
#include <optional>
#include <stop_token>

namespace kem {

class TerminationSignals {
 public:
  // Blocks the signals in this thread and in those it starts.
  TerminationSignals();

  // Lets a signal end the process, as in any program.
  void Unblock() const;

  // Blocks until a signal arrives and returns its number. Several SIGHUPs may
  // be merged into one.
  int Wait() const;
  // The same; empty when `stop` is requested first.
  std::optional<int> Wait(std::stop_token stop) const;

 private:
  sigset_t signals_;
};

}  // namespace kem

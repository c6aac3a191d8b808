// SIGTERM, SIGINT and SIGHUP, which asks for a reload, as something to wait for
// instead of handlers that may do next to nothing. Main makes one before the
// first thread, so that all threads inherit the mask and the signals wait for
// it.
#pragma once

#include <csignal>

namespace kem {

class TerminationSignals {
 public:
  // Blocks all of them in this thread and those it starts.
  TerminationSignals();

  // Waits for one of them and returns its number. Several SIGHUPs at once may
  // be one.
  int Wait() const;

 private:
  sigset_t signals_;
};

}  // namespace kem

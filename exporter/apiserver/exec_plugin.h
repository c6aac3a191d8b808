// Runs a credential plugin (the exec section of a kubeconfig): at first, when
// its credential has expired, and when the API server refused it, as client-go
// does (plugin/pkg/client/auth/exec). Runs on the thread that needs the
// credential; others that need it wait for the same run. Used by Credentials.
// Puts no secret into a log line or an error.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include "apiserver/exec_credential.h"
#include "apiserver/run_program.h"
#include "base/clock.h"
#include "base/result.h"

namespace kem {

class ExecPlugin {
 public:
  // The result of one run. Runs are numbered from 1.
  struct Issued {
    uint64_t number = 0;
    std::shared_ptr<const ExecCredential> credential;
  };

  // `clock` must outlive this; tests replace `run`.
  ExecPlugin(ExecConfig config, const Clock& clock,
             ProgramRunner run = RunProgram);

  // An unexpired credential from another run than `refused` (0: from any).
  // Blocks while the plugin runs, at most 30 s. Errors: kCancelled after a stop
  // request, else kUnavailable with the plugin's name, the beginning and the
  // last line of its stderr and, if it is not installed, the install hint.
  // Thread-safe.
  Result<Issued> Get(uint64_t refused, std::stop_token stop);

 private:
  Result<ExecCredential> Run(std::stop_token stop) const;
  Error Failure(const ProgramEnd& end) const;
  bool Usable(uint64_t refused) const;

  const ExecConfig config_;
  const Clock& clock_;
  const ProgramRunner run_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  bool running_ = false;
  uint64_t runs_ = 0;  // that have ended
  Issued issued_;
  std::optional<Error> failure_;  // of the last run
};

}  // namespace kem

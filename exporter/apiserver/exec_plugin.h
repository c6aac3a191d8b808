// The credential of a plugin (kubeconfig's exec section), run when there is
// none, when it has expired and when the API server refused it, as client-go
// does (plugin/pkg/client/auth/exec). It runs on the thread that needs it; who
// needs it meanwhile waits for that one run, who has a valid one does not.
// Used by Credentials. Never puts a secret into a log or an error.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "apiserver/exec_credential.h"
#include "apiserver/run_program.h"
#include "base/clock.h"
#include "base/result.h"

namespace kem {

class ExecPlugin {
 public:
  // One run's result. Runs are numbered from 1.
  struct Issued {
    uint64_t number = 0;
    std::shared_ptr<const ExecCredential> credential;
  };

  // `clock` must outlive this; `run` is RunProgram but in tests.
  ExecPlugin(ExecConfig config, const Clock& clock,
             ProgramRunner run = RunProgram);

  // A credential that has not expired and is not that of the run `refused` (0:
  // none was). Blocks while the plugin runs, at most 30 s; kCancelled after a
  // stop request, else kUnavailable with a sentence that names the plugin, the
  // last line of its stderr and, where it is missing, the install hint.
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

// The current credentials and trusted authorities. The token file is read again
// for each request, and so are CA and client certificate files, so
// that a rotation needs no restart. If a file is unreadable or has nothing
// valid in it, the old value stays and one warning is logged. Runs the
// credential plugin when needed. Used by ApiTransport. Puts no secret into
// a log line or an error.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "apiserver/exec_plugin.h"
#include "apiserver/server_access.h"
#include "base/file_reader.h"
#include "net/tls.h"

namespace kem {

// The token without the white space around it; empty when there is none left or
// it is not valid in a header (RFC 6750 allows visible ASCII only).
std::optional<std::string> CleanToken(std::string_view text);

// An error, a clause, unless the CA's text has a valid certificate. Logs a
// warning for those that are broken and therefore ignored.
Result<void> CheckAuthority(const Material& ca);

// Thread-safe.
class Credentials {
 public:
  // `run` starts the credential plugin, if there is one.
  Credentials(ServerAccess access, FileReader read,
              ProgramRunner run = RunProgram);

  // Call this before the two below: it runs the credential plugin if needed
  // and returns the credential's number, 0 without a plugin. `refused` is the
  // number that the API server answered with 401, else 0. Blocks and fails as
  // ExecPlugin::Get does.
  Result<uint64_t> Prepare(uint64_t refused, std::stop_token stop);

  // The Authorization header's value; always empty for a plain http server. A
  // token takes precedence over user name and password.
  std::string Authorization();

  // Settings as of the last Prepare; others need another connection.
  TlsSettings Tls();

 private:
  // Warns unless `problem` is the same as in the last warning, `last`.
  void Warn(std::string& last, std::string_view what, std::string problem);
  // The file's text, or the inline one; empty with a warning after a failure.
  std::optional<std::string> Reread(const Material& material,
                                    std::string& last_problem,
                                    std::string_view what);
  void ReloadCa();
  void ReloadKeyPair();

  const FileReader read_;
  RealClock clock_;  // for the expiry of a plugin's credential
  std::optional<ExecPlugin> plugin_;
  std::mutex mutex_;
  ServerAccess access_;                           // with the newest valid texts
  std::shared_ptr<const ExecCredential> issued_;  // by the plugin
  std::string token_problem_;
  std::string ca_problem_;
  std::string key_pair_problem_;
};

}  // namespace kem

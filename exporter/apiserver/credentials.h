// Who we are and whom we trust, as of now: the token file is read again for
// each request, CA and client certificate files for each connection, so that a
// rotation needs no restart. What cannot be read, or is empty or broken (a file
// caught half-written), leaves the old value in place and one warning in the
// log. A credential plugin is run when its credential is needed. Used by
// HttplibTransport. Never puts a secret into a log or an error.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "apiserver/api_access.h"
#include "apiserver/exec_plugin.h"
#include "base/file_reader.h"
#include "net/tls.h"

namespace kem {

// The token without the white space around it; empty when nothing is left or
// what is left could not stand in a header (RFC 6750 has visible ASCII only).
std::optional<std::string> CleanToken(std::string_view text);

class Credentials {
 public:
  // `run` starts the credential plugin, if there is one.
  Credentials(ApiAccess access, FileReader read,
              ProgramRunner run = RunProgram);

  // To be called before the two below: runs the credential plugin where that is
  // needed. `refused` is what an earlier call returned when the API server
  // answered 401 to it, else 0. Blocks as ExecPlugin::Get does, with its
  // errors. 0 when there is no plugin. Thread-safe.
  Result<uint64_t> Prepare(uint64_t refused, std::stop_token stop);

  // The Authorization header's value, or empty: always empty for a plain http
  // server. A token wins over user name and password. Thread-safe, as Tls().
  std::string Authorization();

  // Settings for a new connection.
  TlsSettings Tls();

 private:
  // Warns when `problem` is not the one last told of under `what`.
  void Warn(std::string& last, std::string_view what, std::string problem);
  std::optional<std::string> Reread(const std::string& file,
                                    std::string& last_problem,
                                    std::string_view what);
  void ReloadCa();
  void ReloadKeyPair();

  const FileReader read_;
  RealClock clock_;  // tells when a plugin's credential has expired
  std::optional<ExecPlugin> plugin_;
  std::mutex mutex_;
  ApiAccess access_;  // its Material texts are the newest good ones
  std::shared_ptr<const ExecCredential> issued_;  // by the plugin
  std::string token_problem_;
  std::string ca_problem_;
  std::string key_pair_problem_;
};

}  // namespace kem

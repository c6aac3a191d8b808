// Who may ask what of the HTTP server: TLS for each connection, and for each
// request a rate limit and basic authentication, as --web.config.file says at
// that moment. Used by HttpLoop and its connections on their one thread. It
// answers nothing itself: HttpRouter does.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "net/tls.h"
#include "web/basic_auth.h"
#include "web/web_settings.h"

namespace kem {

enum class Admission {
  kAdmitted,
  kPending,       // FinishedLogins() will tell
  kUnauthorized,  // 401
  kTooMany,       // 429
  kBusy,          // 503: too many logins are being looked at
};

// Not thread-safe.
class WebGate {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Without a `file` everything is admitted, in plain text. The settings are
  // looked at again once an `interval` at most.
  WebGate(std::unique_ptr<WebSettingsFile> file,
          std::chrono::milliseconds interval);

  // `wake` is called from another thread when a login was looked at; null when
  // nobody waits any more. Forgets the logins so far.
  void OnLogin(std::function<void()> wake);

  // Whether new connections speak TLS.
  bool UsesTls(SteadyTime now);
  // A session for a new connection; null when there is no memory.
  Ssl NewSession(int fd, SteadyTime now);

  // Judges a request by its Authorization header's value.
  Admission Admit(const std::string& authorization, uint64_t ticket,
                  SteadyTime now);
  // Tickets that were kPending, and whether they are admitted now.
  std::vector<std::pair<uint64_t, bool>> FinishedLogins();

  // What each answer carries.
  const Headers& headers() const;

 private:
  const WebSettings& Settings(SteadyTime now);
  bool TakeRate(const WebConfig& config, SteadyTime now);

  const std::unique_ptr<WebSettingsFile> file_;
  const std::chrono::milliseconds interval_;
  const WebSettings* settings_;
  std::unique_ptr<BasicAuth> logins_;
  // When the token bucket will be full.
  SteadyTime rate_full_{};
};

}  // namespace kem

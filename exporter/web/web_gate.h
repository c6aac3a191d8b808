// Applies the current --web.config.file: TLS for each connection, and a rate
// limit and basic authentication for each request. Used by HttpLoop and its
// connections on one thread. HttpRouter answers refused requests.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/tls.h"
#include "web/basic_auth.h"
#include "web/web_settings.h"

namespace kem {

// Not thread-safe.
class WebGate {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // Without a `file` every request is admitted, over plain HTTP. The settings
  // are read again after each `interval`. `wake` is called from another thread
  // when a login was checked.
  WebGate(std::unique_ptr<WebSettingsFile> file,
          std::chrono::milliseconds interval, std::function<void()> wake);

  // Whether new connections use TLS.
  bool UsesTls(SteadyTime now);
  // A session for a new connection; null when out of memory.
  Ssl NewSession(int fd, SteadyTime now);

  // Checks a request by its Authorization header's value. Clients of one
  // `group` share their turns of logins.
  Admission Admit(const std::string& authorization, const std::string& group,
                  uint64_t ticket, SteadyTime now);
  // Forgets a ticket that was kPending.
  void CancelLogin(uint64_t ticket) { logins_.Cancel(ticket); }
  // Tickets that were kPending, and whether they are admitted.
  std::vector<std::pair<uint64_t, bool>> FinishedLogins() {
    return logins_.Finished();
  }

  // Headers for each answer.
  const Headers& headers() const { return settings_->config.headers; }

 private:
  const WebSettings& Settings(SteadyTime now);
  bool TakeRate(const WebConfig& config, SteadyTime now);

  const std::unique_ptr<WebSettingsFile> file_;
  const std::chrono::milliseconds interval_;
  const WebSettings open_;  // without a file
  const WebSettings* settings_;
  BasicAuth logins_;
  // Requests that the rate limit admits now, as of `rate_at_`.
  double rate_tokens_ = std::numeric_limits<double>::infinity();
  SteadyTime rate_at_{};
};

}  // namespace kem

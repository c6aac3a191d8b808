#include "web/web_gate.h"

#include <algorithm>
#include <utility>

#include "web/server_tls.h"

namespace kem {

WebGate::WebGate(std::unique_ptr<WebSettingsFile> file,
                 std::chrono::milliseconds interval, std::function<void()> wake)
    : file_(std::move(file)),
      interval_(interval),
      settings_(&open_),
      logins_(std::move(wake)) {}

const WebSettings& WebGate::Settings(SteadyTime now) {
  if (file_) settings_ = &file_->Current(now, interval_);
  return *settings_;
}

bool WebGate::UsesTls(SteadyTime now) {
  return Settings(now).context != nullptr;
}

Ssl WebGate::NewSession(int fd, SteadyTime now) {
  return MakeServerSession(Settings(now).context.get(), fd);
}

bool WebGate::TakeRate(const WebConfig& config, SteadyTime now) {
  if (config.rate_interval.count() == 0) return true;
  const SteadyTime full = std::max(rate_full_, now) + config.rate_interval;
  if (full > now + config.rate_interval * config.rate_burst) return false;
  rate_full_ = full;
  return true;
}

Admission WebGate::Admit(const std::string& authorization, uint64_t ticket,
                         SteadyTime now) {
  const WebConfig& config = Settings(now).config;
  if (!TakeRate(config, now)) return Admission::kTooMany;
  if (config.users.empty()) return Admission::kAdmitted;
  return logins_.Check(config.users, authorization, ticket);
}

}  // namespace kem

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

// A token bucket, full at the start.
bool WebGate::TakeRate(const WebConfig& config, SteadyTime now) {
  if (config.rate_interval.count() == 0) return true;
  using Seconds = std::chrono::duration<double>;
  rate_tokens_ += Seconds(now - rate_at_) / Seconds(config.rate_interval);
  rate_tokens_ = std::min<double>(rate_tokens_, config.rate_burst);
  rate_at_ = now;
  if (rate_tokens_ < 1) return false;
  rate_tokens_ -= 1;
  return true;
}

Admission WebGate::Admit(const std::string& authorization,
                         const std::string& group, uint64_t ticket,
                         SteadyTime now) {
  const WebConfig& config = Settings(now).config;
  if (!TakeRate(config, now)) return Admission::kTooMany;
  if (config.users.empty()) return Admission::kAdmitted;
  return logins_.Check(config.users, authorization, group, ticket);
}

}  // namespace kem

#include "events/refresh_schedule.h"

#include <algorithm>

namespace kem {
namespace {

std::chrono::seconds NextDelay(std::chrono::seconds delay) {
  return std::clamp(delay * 2, RefreshSchedule::kFirstRetry,
                    RefreshSchedule::kLastRetry);
}

}  // namespace

bool RefreshSchedule::Due(KindRef kind, SteadyTime now, bool under_way) {
  auto entry = kinds_.find(kind);
  if (entry == kinds_.end()) {
    if (kinds_.size() >= kMaxKinds) kinds_.clear();
    Key key{std::string(kind.api_version), std::string(kind.kind)};
    entry = kinds_.emplace(std::move(key), Retry{now}).first;
  }
  Retry& retry = entry->second;
  if (now < retry.next || now < failed_until_) return false;
  if (!under_way && !TakeToken(now)) return false;
  retry.delay = NextDelay(retry.delay);
  retry.next = now + retry.delay;
  return true;
}

std::chrono::seconds RefreshSchedule::Failed(SteadyTime now) {
  failure_delay_ = NextDelay(failure_delay_);
  failed_until_ = now + failure_delay_;
  return failure_delay_;
}

void RefreshSchedule::Succeeded() {
  failure_delay_ = std::chrono::seconds(0);
  failed_until_ = SteadyTime{};
}

void RefreshSchedule::Forget(const std::function<bool(KindRef)>& is_known) {
  std::erase_if(kinds_,
                [&](const auto& entry) { return is_known(entry.first); });
}

bool RefreshSchedule::TakeToken(SteadyTime now) {
  const SteadyTime full = std::max(bucket_full_, now);
  if (full - now > kRefill * (kBurst - 1)) return false;
  bucket_full_ = full + kRefill;
  return true;
}

}  // namespace kem

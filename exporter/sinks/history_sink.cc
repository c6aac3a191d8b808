#include "sinks/history_sink.h"

#include <utility>

#include "base/log.h"

namespace kem {

Delivery HistorySink::Deliver(std::span<const Occurrence> batch,
                              const std::stop_token& /*stop*/) {
  const Result<void> added = file_.Append(batch);
  if (!added) return {.rest = Delivery::Failure{added.error().message}};
  delivered_ = true;
  return {.done = batch.size()};
}

void HistorySink::Idle(const std::stop_token& stop) {
  if (std::exchange(delivered_, false)) clock_.SleepFor(kPace, stop);
  const Result<bool> more = file_.Maintain();
  more_ = more && *more;
  if (!more && !failing_) {
    LogWarn("History cannot be written, trying again",
            {{"problem", more.error().message}});
  }
  failing_ = !more;
}

}  // namespace kem

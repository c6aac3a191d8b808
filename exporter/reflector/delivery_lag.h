// Whether watch events arrive late although their watch was open: a proxy that
// buffers responses delivers them when its buffer is full, minutes later, and
// the watch looks healthy. Looks only at the time that the API server gives to
// a new Event. Arrival minus creation is the difference of two clocks plus the
// delay; the least of it in a few watches is taken for the difference of the
// clocks. So no writer's clock matters, and no clock needs to be right. Used by
// the reflector.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/clock.h"

namespace kem {

// Owned by one thread.
class DeliveryLag {
 public:
  static constexpr std::chrono::seconds kLate{10};

  // A watch is requested. What was created before is history, which may be old,
  // but comes at once.
  void BeginWatch(SteadyTime now) {
    requested_ = now;
    first_.reset();
  }

  // A new Event that the API server created at `created` arrived. On the hot
  // path.
  void Add(SteadyTime arrived, WallTime created) {
    if (!first_) first_ = arrived;
    samples_[size_++] = {arrived, created};
    if (size_ == samples_.size()) Judge();
  }

  // How many arrived late since the last call; empty when none arrived.
  std::optional<uint64_t> EndWatch() {
    Judge();
    if (leasts_[watch_] == kUnknown) return {};
    watch_ = (watch_ + 1) % leasts_.size();
    leasts_[watch_] = kUnknown;
    return std::exchange(late_, 0);
  }

 private:
  using Difference = std::chrono::microseconds;
  struct Sample {
    SteadyTime arrived;
    WallTime created;
    Difference Passed() const {
      return std::chrono::floor<Difference>(arrived.time_since_epoch()) -
             created.time_since_epoch();
    }
  };

  static constexpr Difference kUnknown = Difference::max();
  // The watches after which a clock that was set does not matter.
  static constexpr size_t kWatches = 4;

  void Judge() {
    const auto samples = std::span(samples_).first(size_);
    for (const Sample& sample : samples) {
      leasts_[watch_] = std::min(leasts_[watch_], sample.Passed());
    }
    const Difference clocks = *std::min_element(leasts_.begin(), leasts_.end());
    for (const Sample& sample : samples) {
      const Difference lag = sample.Passed() - clocks;
      const bool history = sample.arrived - lag < requested_;
      if (lag >= kLate && (!history || *first_ - requested_ >= kLate)) ++late_;
    }
    size_ = 0;
  }

  SteadyTime requested_;
  std::optional<SteadyTime> first_;  // arrival since
  std::array<Sample, 64> samples_;
  size_t size_ = 0;
  // Of this watch, at `watch_`, and the last ones that had any.
  std::array<Difference, kWatches> leasts_{kUnknown, kUnknown, kUnknown,
                                           kUnknown};
  size_t watch_ = 0;
  uint64_t late_ = 0;
};

}  // namespace kem

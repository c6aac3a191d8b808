// Where occurrences go: a log, a collector, a namespace, an object. A sink
// tries once and says how it went; when to try again, and what is to be kept
// meanwhile, is SinkWorker's business. Counting knows nothing of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "occurrences/occurrence.h"

namespace kem {

// How an attempt at a batch went.
struct Delivery {
  // From the batch's front: what need not be tried again.
  size_t done = 0;
  // How many of these the receiver will never take, as a rejected one.
  size_t refused = 0;
  // Why there is a rest, or why some were refused; for the log.
  std::string problem = {};
  // The receiver's wish.
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
  // Nothing keeps the rest from the receiver, `problem` is about what was
  // refused: the sink itself wants the rest again after so long.
  std::optional<std::chrono::milliseconds> hold = std::nullopt;
};

// What a sink must know after a restart, as texts by name: kept with the
// outbox, lost without a state file. Owned by one worker's thread.
class SinkMemory {
 public:
  virtual ~SinkMemory() = default;
  // An empty text forgets. False when there is no room for another name.
  virtual bool Remember(std::string_view name, std::string_view text) = 0;
  virtual std::map<std::string, std::string> All() const = 0;
};

// Owned by one worker's thread. Nothing throws.
class Sink {
 public:
  virtual ~Sink() = default;
  // Blocks; returns soon after `stop` is requested. `batch` is never empty.
  virtual Delivery Deliver(std::span<const Occurrence> batch,
                           const std::stop_token& stop) = 0;
  // At most so many are worth while at once.
  virtual size_t max_batch() const = 0;
  // What falls due without any occurrence, such as a label to be taken off.
  // Called before each wait; when nothing is to be done, each `idle_interval`.
  virtual void Idle(const std::stop_token& /*stop*/) {}
  virtual std::chrono::milliseconds idle_interval() const {
    return std::chrono::minutes(1);
  }
};

}  // namespace kem

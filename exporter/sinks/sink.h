// The interface of a sink, which delivers occurrences to a receiver: a file, a
// collector or the API server. A sink tries once; SinkWorker repeats. Counting
// does not depend on sinks.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "occurrences/occurrence.h"

namespace kem {

// The outcome of one attempt at a batch.
struct Delivery {
  // The worker backs off, at least for `retry_after`.
  struct Failure {
    std::string problem;  // for the log
    std::optional<std::chrono::seconds> retry_after = std::nullopt;
  };
  // Not a failure: the worker offers the rest again after `wait`.
  struct Hold {
    std::chrono::milliseconds wait;
  };

  // Occurrences from the batch's front that need no further attempt.
  size_t done = 0;
  // How many of these the receiver refused for good, and why, for the log.
  size_t refused = 0;
  std::string refusal = {};
  // Why there is a rest. Not set when there is none, or when `stop` ended the
  // attempt.
  std::variant<std::monostate, Failure, Hold> rest = {};
};

// Texts by name that a sink keeps over restarts, with its queue in the state
// file. Used by one worker's thread.
class SinkMemory {
 public:
  virtual ~SinkMemory() = default;
  // An empty text removes the name. False when the memory is full.
  virtual bool Remember(std::string_view name, std::string_view text) = 0;
  virtual std::map<std::string, std::string> All() const = 0;
};

// Used by one worker's thread. Nothing throws.
class Sink {
 public:
  virtual ~Sink() = default;
  // Blocks; returns soon after `stop` is requested. `batch` is not empty.
  virtual Delivery Deliver(std::span<const Occurrence> batch,
                           const std::stop_token& stop) = 0;
  // Occurrences per batch, and their bytes in the queue.
  virtual size_t max_batch() const = 0;
  virtual size_t max_batch_bytes() const { return size_t{1} << 20; }
  // For work that is due without an occurrence. Called before each wait, and
  // every `idle_interval` while the queue is empty.
  virtual void Idle(const std::stop_token& /*stop*/) {}
  virtual std::chrono::milliseconds idle_interval() const {
    return std::chrono::minutes(1);
  }
};

}  // namespace kem

// Creates and reads outcomes of deliveries. Used by the tests of sinks and of
// SinkWorker. Does not cover refusals, whose fields the tests read and set
// themselves.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "sinks/sink.h"

namespace kem {

inline Delivery Failed(
    std::string problem, size_t done = 0,
    std::optional<std::chrono::seconds> retry_after = std::nullopt) {
  return {.done = done,
          .rest = Delivery::Failure{std::move(problem), retry_after}};
}

inline Delivery Held(std::chrono::milliseconds wait, size_t done = 0) {
  return {.done = done, .rest = Delivery::Hold{wait}};
}

// Of a failure; empty for none.
inline std::string Problem(const Delivery& delivery) {
  const auto* failure = std::get_if<Delivery::Failure>(&delivery.rest);
  return failure != nullptr ? failure->problem : "";
}

inline std::optional<std::chrono::seconds> RetryAfter(
    const Delivery& delivery) {
  const auto* failure = std::get_if<Delivery::Failure>(&delivery.rest);
  return failure != nullptr ? failure->retry_after : std::nullopt;
}

inline std::optional<std::chrono::milliseconds> HoldOf(
    const Delivery& delivery) {
  const auto* hold = std::get_if<Delivery::Hold>(&delivery.rest);
  return hold != nullptr ? std::optional(hold->wait) : std::nullopt;
}

}  // namespace kem

// New occurrences of one Event, with the Event, for the sinks that deliver
// Events. Made by the pipeline, kept as bytes in the Outbox and in the state,
// read by the sinks. The bytes are the only copy of the texts: an Occurrence
// points into them, or into the watch event it was made from. Not used for
// counting.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "events/event.h"
#include "events/scope.h"

namespace kem {

struct Occurrence : Event {
  // Longer texts are cut when encoded.
  static constexpr size_t kMaxMessage = 4096;
  static constexpr size_t kMaxWord = 512;

  Scope scope = Scope::kCluster;
  uint32_t delta = 1;  // new occurrences, of the Event's `count`

  // Identifies one version of one Event object: the same from a list and a
  // watch, before and after a restart, and in two replicas.
  std::string Id() const;
};

// About 300 bytes plus the message.
std::string EncodeOccurrence(const Occurrence& occurrence);
// Points into `bytes`. Empty when they are not an Occurrence.
std::optional<Occurrence> DecodeOccurrence(std::string_view bytes);

}  // namespace kem

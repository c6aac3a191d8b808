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

struct Occurrence {
  // Longer texts are cut when encoded.
  static constexpr size_t kMaxMessage = 4096;
  static constexpr size_t kMaxWord = 512;

  // The Event object.
  std::string_view event_namespace;
  std::string_view name;
  std::string_view uid;
  uint64_t resource_version = 0;

  // What it is about.
  Scope scope = Scope::kCluster;
  std::string_view api_version;
  std::string_view kind;
  std::string_view object_namespace;  // as written
  std::string_view object_name;
  std::string_view object_uid;
  std::string_view object_version;
  std::string_view field_path;

  std::string_view reason;
  std::string_view type;  // as written
  std::string_view reporting_component;
  std::string_view host;
  std::string_view action;
  std::string_view message;

  // New occurrences, and all of the Event since `first_seen`.
  uint32_t delta = 1;
  uint32_t count = 1;
  WallTime first_seen;
  WallTime occurred_at;

  // With everything that `event` contains; scope and delta are the caller's.
  static Occurrence Of(const Event& event);

  // Identifies one version of one Event object: the same from a list and a
  // watch, before and after a restart, and in two replicas.
  std::string Id() const;
};

// About 300 bytes plus the message.
std::string EncodeOccurrence(const Occurrence& occurrence);
// Points into `bytes`. Empty when they are not an Occurrence.
std::optional<Occurrence> DecodeOccurrence(std::string_view bytes);

}  // namespace kem

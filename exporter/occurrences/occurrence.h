// New occurrences of one Event with the Event as it was told, for the sinks
// that pass Events on. Made by the pipeline, kept as bytes in the Outbox and in
// the state, read by the sinks. The bytes are the only copy of the texts: an
// Occurrence points into them, or into the frame that it was made from.
// Counting does not know it.
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

  // How many are new, and how many the Event tells of since `first_seen`.
  uint32_t delta = 1;
  uint32_t count = 1;
  WallTime first_seen;
  WallTime occurred_at;

  // Of what an Event tells; the rest is the caller's to say.
  static Occurrence Of(const Event& event);

  // The same from a list and from a watch, before and after a restart, and from
  // two replicas: one version of one object.
  std::string Id() const;
};

// Some 300 bytes and the message.
std::string EncodeOccurrence(const Occurrence& occurrence);
// Points into `bytes`; nothing when they are no Occurrence.
std::optional<Occurrence> DecodeOccurrence(std::string_view bytes);

}  // namespace kem

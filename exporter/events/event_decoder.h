// Turns JSON into Events: one watch frame, or one element of a list's `items`.
// simdjson On-Demand on the bytes as they lie, no DOM, nothing allocated a
// frame: this is the hot path. Used by the pipeline, one decoder a reflector.
// It judges form only; what an Event counts for is EventTracker's business.
//
// Owned by the reflector's thread: not thread-safe. JSON handed in must be
// readable for kJsonPadding bytes past its end.
#pragma once

#include <memory>
#include <string_view>

#include "events/event.h"
#include "reflector/object_handler.h"

namespace kem {

class EventDecoder {
 public:
  EventDecoder();
  ~EventDecoder();
  EventDecoder(const EventDecoder&) = delete;
  EventDecoder& operator=(const EventDecoder&) = delete;

  // Reads {"type": T, "object": O}. `event` is filled when the info's type is
  // kAdded, kModified or kDeleted. kMalformed when it is no such thing, or when
  // such an Event lacks a name or a numeric resourceVersion. Strings and
  // numbers of the wrong JSON type count as absent: core/v1 validates little.
  FrameInfo DecodeFrame(std::string_view json, Event& event);

  // Reads one list item, which carries neither kind nor apiVersion. False when
  // it is malformed in the sense above.
  bool DecodeItem(std::string_view json, Event& event);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace kem

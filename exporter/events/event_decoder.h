// Decodes Events from JSON: a watch event, or an item of a list. The hot path:
// simdjson On-Demand in place, no DOM, no allocation for an Event. Used by the
// pipeline, one decoder for each reflector. Does not count.
//
// Owned by the reflector's thread. JSON must be readable for kJsonPadding bytes
// past its end.
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

  // Reads {"type": T, "object": O}. Fills `event` when the result is kAdded,
  // kModified or kDeleted. The result is kMalformed for other JSON, and for an
  // Event without a name or a numeric resourceVersion. Values of the wrong JSON
  // type count as absent, because core/v1 validates little.
  FrameInfo DecodeFrame(std::string_view json, Event& event);

  // Reads an item of a list, which has neither kind nor apiVersion. False when
  // it is malformed, as above.
  bool DecodeItem(std::string_view json, Event& event);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace kem

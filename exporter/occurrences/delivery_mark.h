// What of a sink's occurrences is delivered, in terms that hold for every
// replica: resourceVersions. The replica that delivers publishes it, and the
// others drop what it covers from their queues. Used by SinkWorker and by
// replicas/. Rests on the order of a queue: within a watch, occurrences are
// counted and delivered by resourceVersion.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "occurrences/occurrence.h"

namespace kem {

struct DeliveryMark {
  // By watched namespace; the empty name stands for a watch of all.
  using Versions = std::map<std::string, uint64_t, std::less<>>;

  // Everything up to here is delivered.
  Versions whole = {};
  // For a sink that joins occurrences, while it delivers a window: how far the
  // window reaches, and the last version delivered of it, which stands for all
  // earlier parts of its Event in the window. 0 between windows.
  uint64_t window = 0;
  Versions last = {};

  bool operator==(const DeliveryMark&) const = default;
};

// Notes that `occurrence` is delivered, the next one of its watch.
// `watched` is the name of that watch.
void NoteDelivered(DeliveryMark& mark, std::string_view watched,
                   const Occurrence& occurrence);
// A window is delivered.
void EndWindow(DeliveryMark& mark);

// What of an occurrence is not delivered: its later parts, which keep pointing
// into its bytes. Empty when all is. `later` is the entry of the open window
// about the same Event, or null: the replica that delivers may have joined
// both.
std::optional<Occurrence> NotDelivered(const DeliveryMark& mark,
                                       const Occurrence& occurrence,
                                       const Occurrence* later = nullptr);

// As a short JSON text. ParseMark is empty for any other text, which may be
// hostile.
std::string MarkText(const DeliveryMark& mark);
std::optional<DeliveryMark> ParseMark(std::string_view text);

}  // namespace kem

#include "pipeline/staged_list.h"

#include <string>
#include <utility>

namespace kem {

void StagedList::Add(const Sighting& sighting, const Event& event,
                     WallTime now) {
  sightings_.push_back(sighting);
  if (IsClusterScoped(sighting)) recent_.Observe(sighting.key, event, 0, now);
}

void StagedList::Count(const Sighting& sighting, const Change& change) {
  if (IsClusterScoped(sighting)) recent_.Add(sighting.key, change.delta);
}

void StagedList::TakeOffers(const std::vector<SharedFilter>& sinks,
                            const Match& match,
                            const StagedOffers::Taker& take) {
  const bool replaced = sinks_ != sinks;
  offers_.Take([&](uint32_t mask, std::string bytes) {
    if (replaced && !bytes.empty()) {
      const auto occurrence = DecodeOccurrence(bytes);
      mask = occurrence ? match(*occurrence) : 0;
    }
    if (mask != 0) take(mask, std::move(bytes));
  });
}

}  // namespace kem

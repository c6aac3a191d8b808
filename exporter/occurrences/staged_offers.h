// Occurrences of a list that is not committed yet, for the sinks. Put in the
// order of their resourceVersions, as a watch would have sent them: what a sink
// has delivered of a watch is everything up to one resourceVersion. Bounded: of
// the oldest only the number is kept. Used by the pipeline, one for each
// reflector, on the reflector's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "occurrences/occurrence.h"

namespace kem {

class StagedOffers {
 public:
  // Up to twice as many are kept for a while: 10 MB with texts of usual length.
  static constexpr size_t kKept = 10'000;

  // `mask` selects sinks as in Outbox::Offer.
  void Add(uint32_t mask, const Event& event, Scope scope, uint32_t delta);

  // Passes everything added to `taker`, by resourceVersion, and clears it. The
  // entry of an offer that there was no room for is null.
  using Taker = std::function<void(uint32_t mask, const OutboxEntryPtr& entry)>;
  void Take(const Taker& taker);
  void Clear();

 private:
  struct Offer {
    uint32_t mask;
    uint64_t resource_version;
    OutboxEntryPtr entry;
  };

  static bool IsOlder(const Offer& one, const Offer& other) {
    return one.resource_version < other.resource_version;
  }
  void DropOldest();

  std::vector<Offer> offers_;
  size_t with_text_ = 0;
};

}  // namespace kem

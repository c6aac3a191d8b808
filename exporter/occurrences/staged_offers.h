// Occurrences of a list that is not committed yet, for the sinks. Bounded: of
// the oldest only the number is kept. Used by the pipeline, one for each
// reflector.
//
// Owned by the reflector's thread. Nothing here fails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "occurrences/occurrence.h"

namespace kem {

class StagedOffers {
 public:
  // Up to twice as many are kept for a while: 10 MB with texts of usual length.
  static constexpr size_t kKept = 10'000;

  // `mask` selects sinks as in Outbox::Offer.
  void Add(uint32_t mask, const Occurrence& occurrence);

  // Passes everything added to `taker`, the oldest first, and clears it. The
  // bytes of an offer that there was no room for are empty.
  using Taker = std::function<void(uint32_t mask, std::string bytes)>;
  void Take(const Taker& taker);
  void Clear();

 private:
  struct Offer {
    uint32_t mask;
    WallTime occurred_at;
    std::string bytes;
  };

  void DropOldest();

  std::vector<Offer> offers_;
  size_t with_text_ = 0;
};

}  // namespace kem

// New occurrences that a list under way tells of and sinks want: kept until
// the list is committed. Bounded: the oldest go first. Used by the pipeline,
// one a reflector.
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
  // Twice as many may be kept for a while. With texts of usual length 10 MB.
  static constexpr size_t kKept = 10'000;

  // For the sinks of `mask`.
  void Add(uint32_t mask, const Occurrence& occurrence);

  // Hands over what was added, by its time; bytes are empty for what there was
  // no room for. Empty from then on.
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

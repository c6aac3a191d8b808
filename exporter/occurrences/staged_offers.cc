#include "occurrences/staged_offers.h"

#include <algorithm>

namespace kem {

void StagedOffers::Add(uint32_t mask, const Event& event, Scope scope,
                       uint32_t delta) {
  offers_.push_back(
      {mask, event.resource_version, MakeEntry(event, scope, delta)});
  if (++with_text_ == 2 * kKept) DropOldest();
}

void StagedOffers::Take(const Taker& taker) {
  std::stable_sort(offers_.begin(), offers_.end(), IsOlder);
  for (Offer& offer : offers_) taker(offer.mask, offer.entry);
  Clear();
}

void StagedOffers::Clear() {
  std::vector<Offer>().swap(offers_);
  with_text_ = 0;
}

// Deletes only the entry, so that Take still reports them.
void StagedOffers::DropOldest() {
  const auto newest = offers_.end() - static_cast<ptrdiff_t>(kKept);
  std::nth_element(offers_.begin(), newest, offers_.end(), IsOlder);
  for (auto offer = offers_.begin(); offer != newest; ++offer) {
    offer->entry = nullptr;
  }
  with_text_ = kKept;
}

}  // namespace kem

#include "occurrences/staged_offers.h"

#include <gmock/gmock.h>

#include "occurrences/occurrence.h"

namespace kem {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StagedOffersTest : public ::testing::Test {
 protected:
  // In another order by time.
  void Add(const std::string& object, int version) {
    Occurrence occurrence;
    occurrence.object_name = object;
    occurrence.resource_version = static_cast<uint64_t>(version);
    occurrence.occurred_at = WallTime(seconds(100 - version));
    offers.Add(1, occurrence, Scope::kCluster, 1);
  }
  std::vector<std::string> Take() {
    std::vector<std::string> names;
    offers.Take([&](uint32_t, const OutboxEntryPtr& entry) {
      if (!entry) {
        ++dropped;
      } else {
        names.emplace_back(DecodeOccurrence(entry->bytes)->object_name);
      }
    });
    return names;
  }

  StagedOffers offers;
  size_t dropped = 0;
};

TEST_F(StagedOffersTest, ComeByTheirVersionAndOnce) {
  Add("c", 3);
  Add("a", 1);
  Add("b", 2);
  EXPECT_THAT(Take(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(StagedOffersTest, ClearForgetsThem) {
  Add("a", 1);
  offers.Clear();
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(dropped, 0U);
}

TEST_F(StagedOffersTest, OfTooManyTheOldestAreDroppedAndReported) {
  const int all = static_cast<int>(3 * StagedOffers::kKept);
  for (int i = 0; i < all; ++i) Add(std::to_string(i), all - i);
  const std::vector<std::string> names = Take();
  EXPECT_GE(names.size(), StagedOffers::kKept);
  EXPECT_LE(names.size(), 2 * StagedOffers::kKept);
  EXPECT_EQ(names.size() + dropped, size_t(all));
  // The first added are the newest.
  EXPECT_EQ(names.back(), "0");
}

}  // namespace
}  // namespace kem

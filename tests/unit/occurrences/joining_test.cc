// A sink that joins: one entry of all occurrences of an Event in a window.
#include <gmock/gmock.h>

#include "occurrences/occurrence.h"
#include "occurrences/outbox.h"
#include "testing/entry.h"
#include "testing/whole_save.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// "uid:delta/count"
std::string Short(const Outbox::Entries::value_type& entry) {
  const auto occurrence = DecodeOccurrence(entry->bytes);
  return std::string(occurrence->uid) + ":" +
         std::to_string(occurrence->delta) + "/" +
         std::to_string(occurrence->count);
}

class JoiningTest : public ::testing::Test {
 protected:
  JoiningTest() { SetSinks(true); }

  void SetSinks(bool joins, size_t most = 100) {
    outbox.SetSinks({{"log", 100, 100'000}, {"sums", most, 100'000, joins}});
  }
  void Offer(std::string_view uid, uint32_t count, uint32_t delta = 1) {
    Occurrence occurrence;
    occurrence.uid = uid;
    occurrence.count = count;
    occurrence.delta = delta;
    occurrence.resource_version = ++version;
    outbox.Offer(3, EntryOf(occurrence));
  }
  std::vector<std::string> Peek(size_t sink, size_t most = 1000) {
    std::vector<std::string> all;
    for (const auto& entry : outbox.Peek(sink, most, 1'000'000)) {
      all.push_back(Short(entry));
    }
    return all;
  }
  void Restart() {
    const std::string saved = SaveWhole(outbox);
    outbox = Outbox();
    ASSERT_TRUE(LoadWhole(outbox, saved));
  }

  Outbox outbox;
  uint64_t version = 0;
};

TEST_F(JoiningTest, AWindowHasOneEntryForEachEvent) {
  Offer("a", 1);
  Offer("b", 5, 2);
  Offer("a", 2);
  Offer("a", 7, 5);
  EXPECT_THAT(Peek(1), IsEmpty());
  EXPECT_EQ(outbox.size(1).entries, 2U);
  EXPECT_EQ(outbox.size(1).oldest, nullptr);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("b:2/5", "a:7/7"));
  EXPECT_THAT(Peek(0), ElementsAre("a:1/1", "b:2/5", "a:1/2", "a:5/7"));
}

TEST_F(JoiningTest, WhatComesAfterTheWindowIsAnotherEntry) {
  Offer("a", 1);
  outbox.CloseWindow(1);
  Offer("a", 2);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1"));
  Offer("a", 3);
  outbox.Acknowledge(1, outbox.LastClosed(1)->number);
  EXPECT_EQ(outbox.LastClosed(1), nullptr);
  EXPECT_THAT(Peek(1), IsEmpty());
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("a:2/3"));
}

TEST_F(JoiningTest, AWindowStaysOpenUntilTheOneBeforeIsDelivered) {
  Offer("a", 1);
  outbox.CloseWindow(1);
  Offer("a", 2);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1"));
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1"));
  Offer("a", 3);
  outbox.Acknowledge(1, 1000);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), IsEmpty());
}

TEST_F(JoiningTest, ARefusedBatchWaitsBeforeTheOpenWindow) {
  for (const char* uid : {"a", "b", "c"}) Offer(uid, 1);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1, 2), ElementsAre("a:1/1", "b:1/1"));
  Offer("a", 2);
  outbox.PutBack(1);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1", "b:1/1", "c:1/1"));
}

TEST_F(JoiningTest, TheOldestGoesWhereThereIsNoRoom) {
  SetSinks(true, 2);
  Offer("a", 1);
  Offer("b", 1);
  Offer("a", 2);
  EXPECT_EQ(outbox.size(1).dropped, 0U);
  Offer("c", 1);
  EXPECT_EQ(outbox.size(1).dropped, 1U);
  Offer("b", 2);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("c:1/1", "b:1/2"));
}

TEST_F(JoiningTest, ARestartKeepsTheWindow) {
  Offer("a", 1);
  Offer("b", 1);
  outbox.CloseWindow(1);
  Offer("a", 2);
  Offer("c", 1);
  Restart();
  Offer("c", 2);
  Offer("a", 3);
  Offer("b", 2);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1", "b:1/1"));
  outbox.Acknowledge(1, outbox.LastClosed(1)->number);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("c:2/2", "a:2/3", "b:1/2"));
  EXPECT_THAT(Peek(0), ::testing::SizeIs(7));
}

TEST_F(JoiningTest, AReloadEndsOrBeginsIt) {
  Offer("a", 1);
  SetSinks(false);
  Offer("a", 2);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1", "a:1/2"));
  outbox.PutBack(1);
  SetSinks(true);
  Offer("a", 3);
  Offer("a", 4);
  Restart();
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1", "a:1/2"));
  outbox.Acknowledge(1, 3);
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("a:2/4"));
}

TEST_F(JoiningTest, ASaveHasTheWindowAsItWas) {
  for (const char* uid : {"a", "b", "c"}) Offer(uid, 1);
  std::string head;
  ByteWriter to(head);
  outbox.BeginSave(to);
  Offer("b", 2);
  Offer("a", 2);
  std::vector<std::string> pieces;
  for (std::string piece; outbox.SavePiece(50, piece); piece.clear()) {
    pieces.push_back(piece);
  }
  Leftovers left;
  outbox.EndSave(left);
  outbox = Outbox();
  ByteReader from(head);
  ASSERT_TRUE(outbox.LoadHead(from));
  for (const std::string& piece : pieces) {
    ByteReader one(piece);
    ASSERT_TRUE(outbox.LoadPiece(one));
  }
  outbox.FinishLoad();
  outbox.CloseWindow(1);
  EXPECT_THAT(Peek(1), ElementsAre("a:1/1", "b:1/1", "c:1/1"));
}

TEST(JoinOccurrencesTest, AddsUpAndKeepsTheParts) {
  Occurrence one;
  one.resource_version = 10;
  one.delta = 2;
  std::string joined = EncodeOccurrence(one);
  for (uint64_t version = 11; version < 13; ++version) {
    one.resource_version = version;
    one.message = "the last";
    joined = JoinOccurrences(joined, EncodeOccurrence(one));
  }
  const auto all = DecodeOccurrence(joined);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->delta, 6U);
  EXPECT_EQ(all->message, "the last");
  using Part = OccurrencePart;
  EXPECT_THAT(Parts(*all), ElementsAre(Part{10, 2}, Part{11, 2}, Part{12, 2}));
  const Occurrence rest = WithoutParts(*all, 2);
  EXPECT_EQ(rest.delta, 2U);
  EXPECT_THAT(Parts(rest), ElementsAre(Part{12, 2}));
}

TEST(JoinOccurrencesTest, OfManyPartsTheOldestAreOne) {
  Occurrence one;
  std::string joined = EncodeOccurrence(one);
  for (uint64_t version = 1; version < 200; ++version) {
    one.resource_version = version;
    joined = JoinOccurrences(joined, EncodeOccurrence(one));
  }
  const auto all = DecodeOccurrence(joined);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->delta, 200U);
  const std::vector<OccurrencePart> parts = Parts(*all);
  ASSERT_EQ(parts.size(), Occurrence::kMaxParts);
  EXPECT_EQ(parts.front(), (OccurrencePart{136, 137}));
}

TEST(JoinOccurrencesTest, ASumStaysWithinItsNumber) {
  Occurrence one;
  one.delta = UINT32_MAX - 1;
  const std::string bytes = EncodeOccurrence(one);
  EXPECT_EQ(DecodeOccurrence(JoinOccurrences(bytes, bytes))->delta, UINT32_MAX);
}

TEST(JoinOccurrencesTest, PartsThatDoNotAddUpAreNoOccurrence) {
  Occurrence one;
  one.joined = std::string_view("12345678\x02\0\0\0", 12);
  EXPECT_FALSE(DecodeOccurrence(EncodeOccurrence(one)));
  one.delta = 2;
  EXPECT_TRUE(DecodeOccurrence(EncodeOccurrence(one)));
  one.joined.remove_suffix(1);
  EXPECT_FALSE(DecodeOccurrence(EncodeOccurrence(one)));
  const std::string many(12 * Occurrence::kMaxParts, '\0');
  one.joined = many;
  EXPECT_FALSE(DecodeOccurrence(EncodeOccurrence(one)));
}

}  // namespace
}  // namespace kem

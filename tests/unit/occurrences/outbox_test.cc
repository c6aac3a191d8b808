// The queue of a sink: in sequence, bounded, without duplicates, over restarts.
#include "occurrences/outbox.h"

#include <gmock/gmock.h>

#include <random>
#include <vector>

#include "occurrences/occurrence.h"
#include "testing/entry.h"
#include "testing/whole_save.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Occurrence About(std::string_view object, std::string_view uid = "u") {
  Occurrence occurrence;
  occurrence.uid = uid;
  occurrence.resource_version = 7;
  occurrence.kind = "Node";
  occurrence.object_name = object;
  occurrence.message = "it did";
  occurrence.delta = 2;
  occurrence.count = 9;
  occurrence.occurred_at = WallTime(std::chrono::seconds(1'795'000'000));
  return occurrence;
}

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() { outbox.SetSinks({{"log", 3, 1000}, {"otlp", 100, 100'000}}); }

  void Offer(std::string_view object, uint32_t mask = 3,
             std::string_view uid = "u") {
    outbox.Offer(mask, EntryOf(About(object, uid)));
  }
  std::vector<std::string> Names(const Outbox::Entries& entries) {
    std::vector<std::string> names;
    for (const auto& entry : entries) {
      names.emplace_back(DecodeOccurrence(entry->bytes)->object_name);
    }
    return names;
  }
  std::vector<std::string> Waiting(size_t sink) {
    return Names(outbox.Peek(sink, 1000, 1'000'000));
  }

  Outbox outbox;
};

TEST_F(OutboxTest, EachSinkHasItsOwnInOrder) {
  Offer("a", 1);
  Offer("b", 2);
  Offer("c");
  EXPECT_THAT(Waiting(0), ElementsAre("a", "c"));
  EXPECT_THAT(Waiting(1), ElementsAre("b", "c"));
  outbox.Acknowledge(0, 1);
  EXPECT_THAT(Waiting(0), ElementsAre("c"));
  EXPECT_THAT(Waiting(1), ElementsAre("b", "c"));
}

TEST_F(OutboxTest, TheOldestGoesWhereThereIsNoRoom) {
  for (const char* name : {"a", "b", "c", "d"}) Offer(name);
  EXPECT_THAT(Waiting(0), ElementsAre("b", "c", "d"));
  EXPECT_THAT(Waiting(1), ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(outbox.size(0).dropped, 1U);
  EXPECT_EQ(outbox.size(1).dropped, 0U);
}

TEST_F(OutboxTest, BytesAreBoundedToo) {
  const size_t each = EncodeOccurrence(About("a")).size();
  outbox.SetSinks({{"log", 100, 2 * each}});
  for (const char* name : {"a", "b", "c"}) Offer(name);
  EXPECT_THAT(Waiting(0), ElementsAre("b", "c"));
  EXPECT_EQ(outbox.size(0).bytes, 2 * each);
}

TEST_F(OutboxTest, WhatIsInHandTakesNoRoomFromWhatIsNew) {
  for (const char* name : {"a", "b", "c"}) Offer(name);
  EXPECT_THAT(Names(outbox.Peek(0, 2, 1000)), ElementsAre("a", "b"));
  for (const char* name : {"d", "e", "f"}) Offer(name);
  EXPECT_EQ(outbox.size(0).entries, 5U);
  EXPECT_EQ(outbox.size(0).dropped, 1U);
  outbox.Acknowledge(0, 2);
  EXPECT_THAT(Waiting(0), ElementsAre("d", "e", "f"));
  EXPECT_EQ(outbox.size(0).dropped, 1U);
}

TEST_F(OutboxTest, WhatCouldNotBePassedOnIsTheOldestAgain) {
  for (const char* name : {"a", "b", "c"}) Offer(name, 1);
  EXPECT_EQ(outbox.Peek(0, 3, 1000).size(), 3U);
  Offer("d", 1);
  EXPECT_EQ(outbox.size(0).dropped, 0U);
  outbox.PutBack(0);
  EXPECT_THAT(Waiting(0), ElementsAre("b", "c", "d"));
  EXPECT_EQ(outbox.size(0).dropped, 1U);
}

TEST_F(OutboxTest, BytesInHandTakeNoRoomEither) {
  const size_t each = EncodeOccurrence(About("a")).size();
  outbox.SetSinks({{"log", 100, 2 * each}});
  for (const char* name : {"a", "b"}) Offer(name);
  EXPECT_EQ(outbox.Peek(0, 2, 1000).size(), 2U);
  for (const char* name : {"c", "d", "e"}) Offer(name);
  EXPECT_EQ(outbox.size(0).bytes, 4 * each);
  outbox.Acknowledge(0, 1);
  EXPECT_EQ(outbox.size(0).bytes, 3 * each);
  outbox.PutBack(0);
  EXPECT_THAT(Waiting(0), ElementsAre("d", "e"));
  EXPECT_EQ(outbox.size(0).bytes, 2 * each);
  EXPECT_EQ(outbox.size(0).dropped, 2U);
}

TEST_F(OutboxTest, PeekTakesOneWhateverItsSize) {
  Offer("a");
  Offer("b");
  EXPECT_THAT(Names(outbox.Peek(0, 10, 1)), ElementsAre("a"));
}

TEST_F(OutboxTest, ARestartKeepsWhatWaits) {
  for (const char* name : {"a", "b", "c", "d"}) Offer(name);
  outbox.Acknowledge(1, 2);
  const std::string saved = SaveWhole(outbox);
  outbox = Outbox();
  ASSERT_TRUE(LoadWhole(outbox, saved));
  EXPECT_THAT(Waiting(0), ElementsAre("b", "c", "d"));
  EXPECT_THAT(Waiting(1), ElementsAre("c", "d"));
  Offer("e");
  EXPECT_EQ(outbox.Peek(1, 9, 9999).back()->number, 5U);
  outbox.SetSinks({{"otlp", 100, 100'000}, {"new", 3, 1000}});
  EXPECT_THAT(Waiting(0), ElementsAre("c", "d", "e"));
  EXPECT_THAT(Waiting(1), IsEmpty());
}

TEST_F(OutboxTest, MemoriesAreKeptBySinkAndOverRestarts) {
  EXPECT_TRUE(outbox.Remember(1, "node/a", "until 7"));
  EXPECT_TRUE(outbox.Remember(1, "node/b", "until 8"));
  EXPECT_TRUE(outbox.Remember(1, "node/a", "until 9"));
  EXPECT_TRUE(outbox.Remember(1, "node/b", ""));
  outbox.SetSinks({{"otlp", 100, 100'000}});
  Outbox loaded;
  ASSERT_TRUE(LoadWhole(loaded, SaveWhole(outbox)));
  EXPECT_THAT(loaded.memories(0), ElementsAre(Pair("node/a", "until 9")));
}

TEST_F(OutboxTest, MemoriesAreBounded) {
  EXPECT_FALSE(outbox.Remember(0, "a", std::string(Outbox::kMaxMemory, 'x')));
  for (size_t i = 0; i < Outbox::kMaxMemories; ++i) {
    ASSERT_TRUE(outbox.Remember(0, std::to_string(i), "x"));
  }
  EXPECT_FALSE(outbox.Remember(0, "one more", "x"));
  EXPECT_TRUE(outbox.Remember(0, "7", "y"));
  EXPECT_TRUE(outbox.Remember(0, "7", ""));
  EXPECT_TRUE(outbox.Remember(0, "one more", "x"));
}

TEST_F(OutboxTest, CutsAndDamageAreRefused) {
  Offer("a");
  Offer("b", 2);
  const std::string saved = SaveWhole(outbox);
  for (size_t size = 0; size < saved.size(); ++size) {
    Outbox other;
    EXPECT_FALSE(LoadWhole(other, saved.substr(0, size)));
    std::string damaged = saved;
    damaged[size] = static_cast<char>(damaged[size] ^ 0x41);
    other = Outbox();
    LoadWhole(other, damaged);  // may be what could be, but is no crash
  }
}

// Pieces of a few entries and texts, with changes between them: what is loaded
// is what was there at the first one.
TEST_F(OutboxTest, ASaveInPiecesIsOfOneMoment) {
  // Room for what is in hand, too.
  outbox.SetSinks({{"log", 100'000, 100'000'000},
                   {"otlp", 100'000, 100'000'000},
                   {"sums", 100'000, 100'000'000, true}});
  std::mt19937 random(7);
  const auto change = [&] {
    const auto sink = static_cast<size_t>(random() % 3);
    const std::string name = std::to_string(random() % 30);
    switch (random() % 8) {
      case 0:
        if (outbox.size(sink).oldest) {
          outbox.Acknowledge(sink,
                             outbox.size(sink).oldest->number + random() % 9);
        }
        return;
      case 1:
        outbox.Peek(sink, 1 + random() % 3, 1000);
        return;
      case 2:
        outbox.PutBack(sink);
        return;
      case 3:
        outbox.Remember(sink, name, random() % 3 ? "x" + name : "");
        return;
      case 4:
        outbox.CloseWindow(2);
        return;
      default:
        Offer(name, static_cast<uint32_t>(1 + random() % 7), name);
    }
  };
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 20; ++i) change();
    const std::string then = SaveWhole(outbox);
    std::vector<std::string> texts(1);
    ByteWriter head(texts[0]);
    outbox.BeginSave(head);
    for (bool more = true; more;) {
      for (auto i = random() % 5; i > 0; --i) change();
      more = outbox.SavePiece(10 + random() % 200, texts.emplace_back());
    }
    EXPECT_FALSE(outbox.save_gave_up());
    Leftovers left;
    outbox.EndSave(left);
    Outbox loaded;
    ASSERT_TRUE(LoadWhole(loaded, Joined(texts)));
    EXPECT_EQ(SaveWhole(loaded), then) << round;
  }
}

// The ledger's mutex is held in these calls.
TEST_F(OutboxTest, EntriesThatAreGoneAreFreedByTheCaller) {
  Offer("a", 1);
  Offer("b", 2);
  const OutboxEntryPtr a = outbox.size(0).oldest;
  const OutboxEntryPtr b = outbox.size(1).oldest;
  std::string bytes;
  ByteWriter head(bytes);
  outbox.BeginSave(head);
  outbox.Acknowledge(0, a->number);
  // The save gives up.
  Leftovers gone = outbox.SetSinks({{"log", 100, 100'000}});
  EXPECT_EQ(b.owners(), 2U);
  gone.clear();
  EXPECT_EQ(b.owners(), 1U);
  EXPECT_EQ(a.owners(), 2U);
  outbox.EndSave(gone);
  EXPECT_EQ(a.owners(), 2U);
  gone.clear();
  EXPECT_EQ(a.owners(), 1U);
}

TEST_F(OutboxTest, ASaveGivesUpWhenTheSinksChange) {
  Offer("a");
  std::string bytes;
  ByteWriter head(bytes);
  outbox.BeginSave(head);
  EXPECT_FALSE(outbox.save_gave_up());
  outbox.SetSinks({{"otlp", 100, 100'000}});
  EXPECT_TRUE(outbox.save_gave_up());
  EXPECT_FALSE(outbox.SavePiece(100, bytes));
  Leftovers left;
  outbox.EndSave(left);
  EXPECT_FALSE(outbox.save_gave_up());
}

TEST(OccurrenceTest, IsTheSameAfterEncoding) {
  Occurrence before = About("worker-1");
  before.scope = Scope::kNamespaced;
  const std::string bytes = EncodeOccurrence(before);
  const auto after = DecodeOccurrence(bytes);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->Id(), "u/9");
  EXPECT_EQ(after->resource_version, 7U);
  EXPECT_EQ(after->object_name, "worker-1");
  EXPECT_EQ(after->scope, Scope::kNamespaced);
  EXPECT_EQ(after->occurred_at, before.occurred_at);
  EXPECT_EQ(after->delta, 2U);
  EXPECT_EQ(after->count, 9U);
  EXPECT_EQ(MakeEntry(before, before.scope, before.delta)->bytes, bytes);
}

TEST(OccurrenceTest, LongTextsAreCutAtACharacter) {
  Occurrence before = About("worker-1");
  std::string message;
  while (message.size() <= Occurrence::kMaxMessage) message += "äx";
  before.message = message;
  const std::string bytes = EncodeOccurrence(before);
  const auto after = DecodeOccurrence(bytes);
  ASSERT_TRUE(after);
  EXPECT_LE(after->message.size(), Occurrence::kMaxMessage);
  EXPECT_TRUE(message.starts_with(after->message));
  EXPECT_NE(after->message.back(), '\xc3');
}

}  // namespace
}  // namespace kem

// What of an occurrence a replica has still to deliver.
#include "occurrences/delivery_mark.h"

#include <gmock/gmock.h>

namespace kem {
namespace {

using ::testing::Optional;

// An occurrence of these versions, with a delta of 1 each.
struct Joined {
  explicit Joined(const std::vector<uint64_t>& versions) {
    for (const uint64_t version : versions) {
      Occurrence one;
      one.event_namespace = "default";
      one.resource_version = version;
      const std::string next = EncodeOccurrence(one);
      bytes = bytes.empty() ? next : JoinOccurrences(bytes, next);
    }
  }
  // The delta that is left; 0 for none.
  uint32_t Left(const DeliveryMark& mark) const {
    const auto rest = NotDelivered(mark, *DecodeOccurrence(bytes));
    return rest ? rest->delta : 0;
  }
  std::string bytes;
};

TEST(DeliveryMarkTest, EverythingUpToAVersion) {
  const DeliveryMark mark{.whole = {{"", 20}}};
  EXPECT_EQ(Joined({20}).Left(mark), 0U);
  EXPECT_EQ(Joined({21}).Left(mark), 1U);
  EXPECT_EQ(Joined({19, 20, 21, 22}).Left(mark), 2U);
  EXPECT_EQ(Joined({1}).Left({}), 1U);
}

TEST(DeliveryMarkTest, OfTheEventsNamespaceOrOfAll) {
  EXPECT_EQ(Joined({20}).Left({.whole = {{"default", 20}}}), 0U);
  EXPECT_EQ(Joined({20}).Left({.whole = {{"other", 99}}}), 1U);
  EXPECT_EQ(Joined({20}).Left({.whole = {{"", 20}, {"default", 3}}}), 0U);
}

TEST(DeliveryMarkTest, TheLastVersionInAWindowStandsForTheEarlierOnes) {
  const DeliveryMark mark{
      .whole = {{"", 10}}, .window = 50, .last = {{"", 40}}};
  EXPECT_EQ(Joined({20, 40}).Left(mark), 0U);
  // Not delivered yet: its last version in the window is later.
  EXPECT_EQ(Joined({20, 45}).Left(mark), 2U);
  EXPECT_EQ(Joined({5, 20, 45}).Left(mark), 2U);
  // The next window has the rest.
  EXPECT_EQ(Joined({20, 40, 60}).Left(mark), 1U);
  EXPECT_EQ(Joined({20, 45, 60}).Left(mark), 3U);
  EXPECT_EQ(Joined({60}).Left(mark), 1U);
}

TEST(DeliveryMarkTest, FollowsTheDeliveries) {
  Occurrence occurrence;
  occurrence.resource_version = 30;
  DeliveryMark mark;
  NoteDelivered(mark, "", occurrence);
  EXPECT_EQ(mark, (DeliveryMark{.whole = {{"", 30}}}));
  mark.window = 60;
  occurrence.resource_version = 50;
  NoteDelivered(mark, "", occurrence);
  EXPECT_EQ(mark, (DeliveryMark{
                      .whole = {{"", 30}}, .window = 60, .last = {{"", 50}}}));
  EndWindow(mark);
  EXPECT_EQ(mark, (DeliveryMark{.whole = {{"", 50}}}));
}

TEST(DeliveryMarkTest, ARestoredEtcdBeginsAgain) {
  Occurrence occurrence;
  occurrence.resource_version = 3;
  DeliveryMark mark{.whole = {{"", 30}}};
  NoteDelivered(mark, "", occurrence);
  EXPECT_EQ(mark, (DeliveryMark{.whole = {{"", 3}}}));
}

TEST(DeliveryMarkTest, AsText) {
  const DeliveryMark plain{.whole = {{"", 30}}};
  EXPECT_EQ(MarkText(plain), R"({"delivered":{"":30}})");
  EXPECT_THAT(ParseMark(MarkText(plain)), Optional(plain));
  const DeliveryMark window{
      .whole = {{"a", 30}}, .window = 60, .last = {{"a", 50}}};
  EXPECT_EQ(MarkText(window),
            R"({"delivered":{"a":30},"deliveredOfWindow":{"a":50},)"
            R"("window":60})");
  EXPECT_THAT(ParseMark(MarkText(window)), Optional(window));
  EXPECT_THAT(ParseMark("{}"), Optional(DeliveryMark()));
}

TEST(DeliveryMarkTest, OtherTextsAreNone) {
  for (const char* text :
       {"", "7", "[]", "{", R"({"delivered":7})", R"({"delivered":{"":-1}})",
        R"({"delivered":{"":"7"}})", R"({"delivered":{"":1e99}})",
        R"({"window":"x"})", R"({"deliveredOfWindow":[1]})"}) {
    EXPECT_EQ(ParseMark(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseMark(std::string(300'000, ' ') + "{}"), std::nullopt);
}

}  // namespace
}  // namespace kem

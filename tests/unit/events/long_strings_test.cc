#include "events/long_strings.h"

#include <gtest/gtest.h>

#include "events/event_decoder.h"
#include "testing/event_json.h"

namespace kem {
namespace {

std::string Cut(std::string_view json, size_t max_string,
                size_t max_bytes = 1000) {
  std::string out;
  const size_t size = CutLongStrings(json, max_string, max_bytes, out);
  return size == 0 ? "nothing" : out + "+" + std::string(json.substr(size));
}

TEST(LongStringsTest, KeepsWhatIsShort) {
  EXPECT_EQ(Cut(R"({"a":"bc","d":[1,{"e":"}"}]})", 3),
            R"({"a":"bc","d":[1,{"e":"}"}]}+)");
}

TEST(LongStringsTest, CutsStringsAndKeysAsTheyAreWritten) {
  EXPECT_EQ(Cut(R"({"abcd":"efgh"})", 3), R"({"abc":"efg"}+)");
}

TEST(LongStringsTest, EndsWithTheObject) {
  EXPECT_EQ(Cut(R"( {"a":{}} {"b":1})", 3), R"( {"a":{}}+ {"b":1})");
}

TEST(LongStringsTest, NeverCutsInsideAnEscapeOrACharacter) {
  EXPECT_EQ(Cut(R"({"a":"xy\nz"})", 3), R"({"a":"xy"}+)");
  EXPECT_EQ(Cut(R"({"a":"\\\\\\"})", 3), R"({"a":"\\"}+)");
  EXPECT_EQ(Cut(R"({"a":"\"\"\""})", 4), R"({"a":"\"\""}+)");
  EXPECT_EQ(Cut(R"({"a":"\u003c\u003c"})", 11), R"({"a":"\u003c"}+)");
  EXPECT_EQ(Cut(R"({"a":"x\ud83d\ude00"})", 12), R"({"a":"x"}+)");
  EXPECT_EQ(Cut(R"({"a":"x\uD83D\uDE00y"})", 13), R"({"a":"x\uD83D\uDE00"}+)");
  EXPECT_EQ(Cut("{\"a\":\"xyz\xc3\xa4\"}", 4), "{\"a\":\"xyz\"}+");
}

TEST(LongStringsTest, RefusesWhatDoesNotEnd) {
  for (const char* json : {"", " ", "{", "{\"a", "{\"a\\", "{\"a\":[}", "[["}) {
    EXPECT_EQ(Cut(json, 3), "nothing") << json;
  }
}

TEST(LongStringsTest, RefusesWhatStaysTooLarge) {
  EXPECT_EQ(Cut(R"({"a":[1,2,3,4,5,6,7,8,9,10]})", 3, 20), "nothing");
  EXPECT_EQ(Cut(R"({"a":"bcdefghijklmnopqrstuvwxyz"})", 3, 20),
            R"({"a":"bcd"}+)");
}

TEST(LongStringsTest, AnEventOfManyMegabytesIsDecodedLikeASmallOne) {
  std::string message = "\"";
  for (int i = 0; i < 1'400'000; ++i) message += "\\u003c";
  message += '"';
  EventJson json;
  json.version = "101";
  json.message = message;
  const PaddedJson frame(json.Frame("ADDED") + json.Frame("ADDED"));
  EventDecoder decoder;
  Event event;
  const FrameInfo info = decoder.DecodeFrame(frame.view(), event);
  EXPECT_EQ(info.type, FrameType::kAdded);
  EXPECT_EQ(info.consumed, frame.view().size() / 2);
  EXPECT_EQ(event.resource_version, 101U);
  EXPECT_EQ(event.message, std::string(341, '<'));
  const PaddedJson item(json.Object());
  EXPECT_TRUE(decoder.DecodeItem(item.view(), event));
  EXPECT_EQ(event.message.size(), 341U);
}

TEST(LongStringsTest, AnObjectThatIsHugeWithoutLongStringsIsRefused) {
  std::string labels;
  for (int i = 0; i < 300'000; ++i) labels += R"(,"x":"0123456789")";
  EventJson json;
  json.version = "101";
  json.more = labels;
  EventDecoder decoder;
  Event event;
  const PaddedJson frame(json.Frame("ADDED"));
  const FrameInfo info = decoder.DecodeFrame(frame.view(), event);
  EXPECT_EQ(info.type, FrameType::kMalformed);
  EXPECT_EQ(info.consumed, frame.view().size());
  const PaddedJson item(json.Object());
  EXPECT_FALSE(decoder.DecodeItem(item.view(), event));
}

}  // namespace
}  // namespace kem

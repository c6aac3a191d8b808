// What kubectl prints, cut into objects: whatever the layout and wherever the
// pieces end.
#include "offline/offline_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kem {
namespace {

using testing::ElementsAre;

// "kind/F" for a frame, "kind/L" for a list's item, "kind" for a bare object,
// with the object's text where it is short.
struct Heard {
  std::vector<std::string> objects;
  std::string problem;
  std::string end;
  bool between = false;
};

Heard Read(std::string_view text, size_t piece, size_t max_object = 1 << 20) {
  Heard heard;
  OfflineReader reader(
      [&heard](const OfflineReader::Object& object) {
        heard.objects.push_back(std::string(object.kind) +
                                (object.frame    ? "/F "
                                 : object.listed ? "/L "
                                                 : " ") +
                                std::string(object.json));
      },
      max_object);
  for (size_t at = 0; at < text.size(); at += piece) {
    const Result<void> read = reader.Append(text.substr(at, piece));
    if (!read) {
      heard.problem = read.error().message;
      return heard;
    }
  }
  const Result<void> finished = reader.Finish();
  if (!finished) heard.end = finished.error().message;
  heard.between = reader.Between();
  return heard;
}

// The same for pieces of every size.
Heard ReadInPieces(std::string_view text, size_t max_object = 1 << 20) {
  Heard whole = Read(text, text.size() + 1, max_object);
  for (size_t piece = 1; piece < std::min<size_t>(text.size(), 40); ++piece) {
    const Heard heard = Read(text, piece, max_object);
    EXPECT_EQ(heard.objects, whole.objects) << piece;
    EXPECT_EQ(heard.problem, whole.problem) << piece;
    EXPECT_EQ(heard.end, whole.end) << piece;
  }
  return whole;
}

TEST(OfflineReaderTest, ReadsAListItemByItem) {
  const Heard heard = ReadInPieces(R"({
    "apiVersion": "v1",
    "items": [
        {"kind": "Event", "a": [1, {"kind": "x"}]},
        {"b": "]}\"{", "kind": "Pod"} , {}
    ],
    "kind": "List",
    "metadata": {"resourceVersion": "", "items": [{}]}
}
)");
  EXPECT_EQ(heard.problem + heard.end, "");
  EXPECT_TRUE(heard.between);
  EXPECT_THAT(
      heard.objects,
      ElementsAre(R"(Event/L {"kind": "Event", "a": [1, {"kind": "x"}]})",
                  R"(Pod/L {"b": "]}\"{", "kind": "Pod"})", "/L {}"));
}

TEST(OfflineReaderTest, ReadsFramesAndBareObjectsOneAfterTheOther) {
  const Heard heard = ReadInPieces(
      "{\"type\":\"ADDED\",\"object\":{\"a\":{\"kind\":\"x\"},\"kind\":"
      "\"Event\"}}\n"
      "{\n  \"kind\": \"Event\",\n  \"type\": \"Normal\"\n}\n"
      "{\"object\":{},\"kind\":\"Frame\"}{\"items\":{}}"
      "{\"items\":[]}");
  EXPECT_EQ(heard.problem + heard.end, "");
  EXPECT_THAT(
      heard.objects,
      ElementsAre("Event/F {\"type\":\"ADDED\",\"object\":{\"a\":{\"kind\":"
                  "\"x\"},\"kind\":\"Event\"}}",
                  "Event {\n  \"kind\": \"Event\",\n  \"type\": \"Normal\"\n}",
                  "/F {\"object\":{},\"kind\":\"Frame\"}", " {\"items\":{}}"));
}

TEST(OfflineReaderTest, PassesOverAByteOrderMarkAndNothing) {
  EXPECT_THAT(Read("\xEF\xBB\xBF{}", 99).objects, ElementsAre(" {}"));
  for (const char* nothing : {"", "\n", " \r\n\t"}) {
    const Heard heard = ReadInPieces(nothing);
    EXPECT_EQ(heard.problem + heard.end, "");
    EXPECT_FALSE(heard.between);
  }
}

TEST(OfflineReaderTest, TellsWhereTheInputIsNotJson) {
  const char* first =
      "line 1: this is not JSON; make it by kubectl get events -A -o json";
  const std::pair<const char*, const char*> cases[] = {
      {"apiVersion: v1\n", first},
      {"No resources found\n", first},
      {"[{}]", first},
      {"{}\n\nError from server", "line 3: this is not JSON any more"},
      {"{\"a\": {\n{}}", "line 2: this is not JSON any more"},
      {"{\"items\": [\n{} {}]}", "line 2: this is not JSON any more"},
      {"{\"a\": 1]", "line 1: this is not JSON any more"},
      {"{\"items\": [1]}", "line 1: this is not JSON any more"},
      {"{\"a\": \"b\nc\"}", "line 1: a line ends inside a string"},
  };
  for (const auto& [text, sentence] : cases) {
    EXPECT_EQ(ReadInPieces(text).problem, sentence) << text;
  }
}

TEST(OfflineReaderTest, KeepsWhatIsWholeWhenTheInputIsCut) {
  const Heard list = ReadInPieces("{\"items\": [{\"a\":1},\n{\"a\"");
  EXPECT_THAT(list.objects, ElementsAre("/L {\"a\":1}"));
  EXPECT_EQ(list.end,
            "line 2: the input ends inside a List; it was cut, and what was "
            "whole is counted");
  const Heard frames = ReadInPieces("{\"a\":1}\n{\"a\":\"");
  EXPECT_THAT(frames.objects, ElementsAre(" {\"a\":1}"));
  EXPECT_EQ(frames.end,
            "line 2: the input ends inside an object; it was cut, and what "
            "was whole is counted");
}

TEST(OfflineReaderTest, RefusesAnObjectThatIsTooLarge) {
  const std::string large =
      "{\"items\":[{},\n{\"a\":\"" + std::string(3 << 20, 'x');
  const Heard heard = Read(large, 10000);
  EXPECT_THAT(heard.objects, ElementsAre("/L {}"));
  EXPECT_EQ(heard.problem,
            "line 2: the object that begins there is larger than 1 MiB");
}

}  // namespace
}  // namespace kem

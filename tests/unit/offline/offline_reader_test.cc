// What kubectl prints, split into objects: in any layout and any pieces.
#include "offline/offline_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kem {
namespace {

using testing::ElementsAre;

// "kind/F" for a watch event, "kind/L" for an item of a List, "kind" for a bare
// object, each with its text.
struct Output {
  std::vector<std::string> objects;
  std::string problem;
  std::string end;
  bool between = false;
};

Output Read(std::string_view text, size_t piece, size_t max_object = 1 << 20) {
  Output output;
  OfflineReader reader(
      [&output](const OfflineReader::Object& object) {
        output.objects.push_back(std::string(object.kind) +
                                 (object.frame    ? "/F "
                                  : object.listed ? "/L "
                                                  : " ") +
                                 std::string(object.json));
      },
      max_object);
  for (size_t at = 0; at < text.size(); at += piece) {
    const Result<void> read = reader.Append(text.substr(at, piece));
    if (!read) {
      output.problem = read.error().message;
      return output;
    }
  }
  const Result<void> finished = reader.Finish();
  if (!finished) output.end = finished.error().message;
  output.between = reader.Between();
  return output;
}

// The same in pieces of every size.
Output ReadInPieces(std::string_view text, size_t max_object = 1 << 20) {
  Output whole = Read(text, text.size() + 1, max_object);
  for (size_t piece = 1; piece < std::min<size_t>(text.size(), 40); ++piece) {
    const Output output = Read(text, piece, max_object);
    EXPECT_EQ(output.objects, whole.objects) << piece;
    EXPECT_EQ(output.problem, whole.problem) << piece;
    EXPECT_EQ(output.end, whole.end) << piece;
  }
  return whole;
}

TEST(OfflineReaderTest, ReadsAListItemByItem) {
  const Output output = ReadInPieces(R"({
    "apiVersion": "v1",
    "items": [
        {"kind": "Event", "a": [1, {"kind": "x"}]},
        {"b": "]}\"{", "kind": "Pod"} , {}
    ],
    "kind": "List",
    "metadata": {"resourceVersion": "", "items": [{}]}
}
)");
  EXPECT_EQ(output.problem + output.end, "");
  EXPECT_TRUE(output.between);
  EXPECT_THAT(
      output.objects,
      ElementsAre(R"(Event/L {"kind": "Event", "a": [1, {"kind": "x"}]})",
                  R"(Pod/L {"b": "]}\"{", "kind": "Pod"})", "/L {}"));
}

TEST(OfflineReaderTest, ReadsFramesAndBareObjectsOneAfterTheOther) {
  const Output output = ReadInPieces(
      "{\"type\":\"ADDED\",\"object\":{\"a\":{\"kind\":\"x\"},\"kind\":"
      "\"Event\"}}\n"
      "{\n  \"kind\": \"Event\",\n  \"type\": \"Normal\"\n}\n"
      "{\"object\":{},\"kind\":\"Frame\"}{\"items\":{}}"
      "{\"items\":[]}");
  EXPECT_EQ(output.problem + output.end, "");
  EXPECT_THAT(
      output.objects,
      ElementsAre("Event/F {\"type\":\"ADDED\",\"object\":{\"a\":{\"kind\":"
                  "\"x\"},\"kind\":\"Event\"}}",
                  "Event {\n  \"kind\": \"Event\",\n  \"type\": \"Normal\"\n}",
                  "/F {\"object\":{},\"kind\":\"Frame\"}", " {\"items\":{}}"));
}

TEST(OfflineReaderTest, PassesOverAByteOrderMarkAndNothing) {
  EXPECT_THAT(Read("\xEF\xBB\xBF{}", 99).objects, ElementsAre(" {}"));
  for (const char* nothing : {"", "\n", " \r\n\t"}) {
    const Output output = ReadInPieces(nothing);
    EXPECT_EQ(output.problem + output.end, "");
    EXPECT_FALSE(output.between);
  }
}

TEST(OfflineReaderTest, NamesTheLineWhereTheInputIsNotJson) {
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
  const Output list = ReadInPieces("{\"items\": [{\"a\":1},\n{\"a\"");
  EXPECT_THAT(list.objects, ElementsAre("/L {\"a\":1}"));
  EXPECT_EQ(list.end,
            "line 2: the input ends inside a List; it was cut, and what was "
            "whole is counted");
  const Output frames = ReadInPieces("{\"a\":1}\n{\"a\":\"");
  EXPECT_THAT(frames.objects, ElementsAre(" {\"a\":1}"));
  EXPECT_EQ(frames.end,
            "line 2: the input ends inside an object; it was cut, and what "
            "was whole is counted");
}

TEST(OfflineReaderTest, RefusesAnObjectThatIsTooLarge) {
  const std::string large =
      "{\"items\":[{},\n{\"a\":\"" + std::string(3 << 20, 'x');
  const Output output = Read(large, 10000);
  EXPECT_THAT(output.objects, ElementsAre("/L {}"));
  EXPECT_EQ(output.problem,
            "line 2: the object that begins there is larger than 1 MiB");
}

}  // namespace
}  // namespace kem

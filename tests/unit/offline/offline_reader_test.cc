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
// object, each with "*" if it refers to an object, and with its text.
struct Output {
  std::vector<std::string> objects;
  std::string problem;
  std::string end;
  bool between = false;
  size_t empty_lists = 0;
  bool empty = false;
};

Output Read(std::string_view text, size_t piece, size_t max_object = 1 << 20) {
  Output output;
  OfflineReader reader(
      [&output](const OfflineReader::Object& object) {
        output.objects.push_back(std::string(object.kind) +
                                 (object.frame    ? "/F"
                                  : object.listed ? "/L"
                                                  : "") +
                                 (object.reference ? "* " : " ") +
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
  output.empty_lists = reader.empty_lists();
  output.empty = reader.empty();
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
    EXPECT_EQ(output.empty_lists, whole.empty_lists) << piece;
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
  EXPECT_FALSE(Read("{", 1).empty);
  for (const char* nothing : {"", "\n", " \r\n\t"}) {
    const Output output = ReadInPieces(nothing);
    EXPECT_EQ(output.problem + output.end, "");
    EXPECT_FALSE(output.between);
    EXPECT_TRUE(output.empty);
  }
}

TEST(OfflineReaderTest, NamesTheLineWhereTheInputIsNotJson) {
  const std::pair<const char*, const char*> cases[] = {
      {"{\"a\": {\n{}}", "line 2: this is not JSON any more"},
      {"{\"items\": [\n{} {}]}", "line 2: this is not JSON any more"},
      {"[\n{} {}]", "line 2: this is not JSON any more"},
      {"[{}}", "line 1: this is not JSON any more"},
      {"[,{}]", "line 1: this is not JSON any more"},
      {"{\"a\": 1]", "line 1: this is not JSON any more"},
      {"{\"items\": [1]}",
       "line 1: the list has an item that is not an object"},
      {"[\n\"a\"]", "line 2: the list has an item that is not an object"},
      {"{\"a\": \"b\nc\"}", "line 1: a line ends inside a string"},
  };
  for (const auto& [text, sentence] : cases) {
    EXPECT_EQ(ReadInPieces(text).problem, sentence) << text;
  }
}

TEST(OfflineReaderTest, QuotesWhatIsNotJson) {
  const std::pair<std::string, std::string> first[] = {
      {"apiVersion: v1\nkind: List\n", "\"apiVersion: v1\""},
      {"\n\nNo resources found", "\"No resources found\""},
      {"<!DOCTYPE html>\r\n<html>", "\"<!DOCTYPE html>\""},
      {"a\u009B\u202Eb\n", "\"a[U+009B][U+202E]b\""},
      {"\x1F\x8B\x08\xFF", "gzip data"},
      {std::string(5000, 'x'), "\"" + std::string(80, 'x') + "\""},
  };
  for (const auto& [text, quoted] : first) {
    const Output output = ReadInPieces(text);
    EXPECT_THAT(output.problem + output.end,
                testing::EndsWith(std::string(": this is no JSON object or "
                                              "list, but ") +
                                  quoted +
                                  "; use the output of kubectl get events -A "
                                  "-o json"));
  }
  EXPECT_THAT(ReadInPieces("\n\nx").end, testing::StartsWith("line 3: "));
  EXPECT_EQ(ReadInPieces("{}\n\nError from server\n{}").problem,
            "line 3: this is not JSON any more, but \"Error from server\"");
  EXPECT_EQ(ReadInPieces("[]x").end,
            "line 1: this is not JSON any more, but \"x\"");
}

TEST(OfflineReaderTest, ReadsAnArrayItemByItem) {
  const Output output = ReadInPieces(
      "[ {\"kind\":\"Event\",\"a\":[[]]},\n{\"type\":\"ADDED\",\"object\":"
      "{\"kind\":\"Event\"}} ,{}]\n[] {\"b\":1}");
  EXPECT_EQ(output.problem + output.end, "");
  EXPECT_TRUE(output.between);
  EXPECT_EQ(output.empty_lists, 1U);
  EXPECT_THAT(output.objects,
              ElementsAre("Event/L {\"kind\":\"Event\",\"a\":[[]]}",
                          "Event/F {\"type\":\"ADDED\",\"object\":{\"kind\":"
                          "\"Event\"}}",
                          "/L {}", " {\"b\":1}"));
  EXPECT_EQ(ReadInPieces("[{},").end,
            "line 1: the input ends inside a List; it was cut, and what was "
            "whole is counted");
}

TEST(OfflineReaderTest, GivesTheItemsOfATypedListItsKind) {
  const Output output = ReadInPieces(
      "{\"kind\":\"NodeList\",\"items\":[{\"a\":1},{\"kind\":\"Pod\"}]}"
      "{\"kind\":\"EventList\",\"items\":[{\"a\":2}],\"kind2\":\"x\"}"
      "{\"items\":[{\"a\":3}],\"kind\":\"NodeList\"}"
      "{\"kind\":\"List\",\"items\":[{\"a\":4}]}");
  EXPECT_EQ(output.problem + output.end, "");
  EXPECT_THAT(output.objects,
              ElementsAre("Node/L {\"a\":1}", "Pod/L {\"kind\":\"Pod\"}",
                          "Event/L {\"a\":2}", "/L {\"a\":3}", "/L {\"a\":4}"));
}

TEST(OfflineReaderTest, FindsTheReferenceThatEveryEventHas) {
  const char* objects[] = {
      R"({"involvedObject":{}})",
      R"({"a":{"regarding":{}},"regarding":{"kind":"Pod"}})",
      R"({"type":"ADDED","object":{"regarding":{}}})",
      R"({"a":{"involvedObject":{}}})",
      R"({"involvedObject":null,"b":["regarding",{"regarding":{}}]})",
      R"({"involvedObject":{},"object":{}})",
      R"({"object":{},"regarding":{}})"};
  std::string text = "[";
  for (const char* one : objects)
    text += (text.size() > 1 ? "," : "") + std::string(one);
  const std::vector<std::string> found = ReadInPieces(text + "]").objects;
  ASSERT_EQ(found.size(), 7U);
  for (size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].find("* ") != std::string::npos, i < 3) << found[i];
  }
}

TEST(OfflineReaderTest, CountsListsOfEventsWithoutItems) {
  const std::pair<const char*, size_t> cases[] = {
      {"[]", 1},
      {"{\"items\":[ ]}", 1},
      {"{\"items\":[],\"kind\":\"List\"}", 1},
      {"{\"kind\":\"EventList\",\"items\":[]} []", 2},
      {"{\"items\":[{}]}", 0},
      {"{\"kind\":\"NodeList\",\"items\":[]}", 0},
      {"{\"items\":[],\"kind\":\"NodeList\"}", 0},
      {"[", 0},
      {"{}", 0}};
  for (const auto& [text, lists] : cases) {
    EXPECT_EQ(ReadInPieces(text).empty_lists, lists) << text;
  }
}

TEST(OfflineReaderTest, ReadsUtf16) {
  const std::string ascii =
      "{\"items\":[\r\n{\"kind\":\"Event\"}\r\n]}\r\nx\r\n";
  std::string wide = "\xFF\xFE";
  for (const char c : ascii) wide.append({c, '\0'});
  const Output output = ReadInPieces(wide);
  EXPECT_THAT(output.objects, ElementsAre("Event/L {\"kind\":\"Event\"}"));
  EXPECT_EQ(output.problem, "line 4: this is not JSON any more, but \"x\"");
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

// YAML as Kubernetes reads it. tests/real/test_kubeconfigs.py compares with the
// real one.
#include "apiserver/yaml_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace kem {
namespace {

std::string Json(const std::string& yaml) {
  const Result<std::string> json = YamlToJson(yaml);
  return json ? *json : json.error().message;
}

TEST(YamlJsonTest, ReadsScalars) {
  const std::pair<const char*, const char*> cases[] = {
      {"a", R"("a")"},
      {"'a'", R"("a")"},
      {"\"a\\tb\"", R"("a\tb")"},
      {"", "null"},
      {"~", "null"},
      {"null", "null"},
      {"'null'", R"("null")"},
      {"# nothing", "null"},
      {"true", "true"},
      {"Yes", "true"},
      {"n", "false"},
      {"OFF", "false"},
      {"yEs", R"("yEs")"},
      {"'true'", R"("true")"},
      {"!!str true", R"("true")"},
      {"12", "12"},
      {"-1.5e3", "-1500.0"},
      {"'12'", R"("12")"},
      {"!!str 12", R"("12")"},
      {"1.2.3", R"("1.2.3")"},
      {"0x1F", R"("0x1F")"},
      {"2026-11-23T11:53:29Z", R"("2026-11-23T11:53:29Z")"},
      {"|\n  a\n  b\n", R"("a\nb\n")"},
      {"\xEF\xBB\xBF"
       "a: b",
       R"({"a":"b"})"},
      {"a: b\r\nc: d\r\n", R"({"a":"b","c":"d"})"},
      {R"({"a": [1, null, {"b": ""}]})", R"({"a":[1,null,{"b":""}]})"},
      {"[]", "[]"},
      {"{}", "{}"},
      {"1: a\ntrue: b\n'2': c", R"({"1":"a","2":"c","true":"b"})"},
  };
  for (const auto& [yaml, json] : cases) EXPECT_EQ(Json(yaml), json) << yaml;
}

TEST(YamlJsonTest, ReadsTheFirstDocument) {
  EXPECT_EQ(Json("---\na: 1\n---\nb: 2\n"), R"({"a":1})");
  EXPECT_EQ(Json("---\n---\nb: 2\n"), "null");
  EXPECT_EQ(Json("a: 1\n...\n\tgarbage"), R"({"a":1})");
}

TEST(YamlJsonTest, TakesTheLastOfEqualKeys) {
  EXPECT_EQ(Json("{a: 1, b: 2, a: 3}"), R"({"a":3,"b":2})");
  EXPECT_EQ(Json("{a: {b: 1}, a: {c: 2}}"), R"({"a":{"c":2}})");
  EXPECT_EQ(Json("{a: 1, a: }"), R"({"a":null})");
  EXPECT_EQ(Json("{1: a, '1': b}"), R"({"1":"b"})");
}

TEST(YamlJsonTest, MergesMaps) {
  const std::string base = "x: &x {a: 1, b: 2}\ny: &y {a: 3, c: 4}\n";
  const auto merged = [&](const std::string& map) {
    const std::string json = Json(base + "z: " + map);
    const size_t at = json.find(R"("z":)");
    return at == std::string::npos ? json
                                   : json.substr(at + 4, json.size() - at - 5);
  };
  EXPECT_EQ(merged("{<<: *x}"), R"({"a":1,"b":2})");
  EXPECT_EQ(merged("{<<: *x, a: 9}"), R"({"a":9,"b":2})");
  // go-yaml v2, unlike the specification.
  EXPECT_EQ(merged("{a: 9, <<: *x}"), R"({"a":1,"b":2})");
  EXPECT_EQ(merged("{<<: [*x, *y]}"), R"({"a":1,"b":2,"c":4})");
  EXPECT_EQ(merged("{<<: {a: 7}, d: 8}"), R"({"a":7,"d":8})");
  EXPECT_EQ(merged("{<<: {<<: *y, a: 7}}"), R"({"a":7,"c":4})");
  EXPECT_EQ(merged("{<<: *x, <<: *y}"), R"({"a":3,"b":2,"c":4})");
  EXPECT_EQ(merged("{<<: []}"), "{}");
  EXPECT_EQ(merged("{'<<': *x}"), R"({"<<":{"a":1,"b":2}})");
  EXPECT_EQ(merged("{<<: 1}"),
            "line 3: a merge key (<<) needs a map or a list of maps");
  EXPECT_EQ(merged("{<<: }"),
            "line 3: a merge key (<<) needs a map or a list of maps");
  EXPECT_EQ(merged("{<<: [*x, 1]}"),
            "line 3: a merge key (<<) needs a map or a list of maps");
}

TEST(YamlJsonTest, TellsWhatIsWrong) {
  EXPECT_THAT(Json("a:\n- b: [c\n"),
              testing::StartsWith("it is not YAML: line "));
  EXPECT_EQ(Json("a: b\n? [c]\n: d"), "line 2: a key is not a string");
  EXPECT_EQ(Json("~: a"), "line 1: a key is not a string");
  EXPECT_EQ(YamlToJson("a: [b").error().code, ErrorCode::kInvalidConfig);
}

TEST(YamlJsonTest, RefusesWhatExpandsOrNestsWithoutEnd) {
  EXPECT_EQ(Json(std::string(200, '[') + std::string(200, ']')),
            "line 1: lists and maps nest more than 100 levels deep");
  EXPECT_EQ(Json("&a [*a]"),
            "line 1: lists and maps nest more than 100 levels deep");
  EXPECT_EQ(Json("&a {<<: *a}"),
            "line 1: lists and maps nest more than 100 levels deep");
  std::string lists = "- &a0 x\n";
  std::string maps = "m0: &a0 {x: y}\n";
  for (int i = 1; i < 60; ++i) {
    const std::string name = "&a" + std::to_string(i);
    const std::string below = "*a" + std::to_string(i - 1);
    lists += "- " + name + " [" + below + ", " + below + "]\n";
    maps += "m" + std::to_string(i) + ": " + name + " {<<: [" + below + ", " +
            below + "]}\n";
  }
  for (const std::string& bomb : {lists, maps}) {
    EXPECT_THAT(Json(bomb),
                testing::EndsWith(
                    ": the text is too large, with its aliases expanded"));
  }
  // A long text that is named often.
  std::string copies = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 40; ++i) copies += "*a, ";
  EXPECT_EQ(Json(copies + "]"),
            "line 1: the text is too large, with its aliases expanded");
}

}  // namespace
}  // namespace kem

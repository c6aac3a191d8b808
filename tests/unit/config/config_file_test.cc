#include "config/config_file.h"

#include <gmock/gmock.h>

#include <string_view>

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string RefusedFile(std::string_view text) {
  const auto parsed = ParseConfigFile(text, "c.yaml");
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidConfig);
  return parsed.error().message;
}

TEST(ConfigFileTest, GivesValuesByOptionAndLine) {
  const auto parsed = ParseConfigFile(
      "# who\ncontext: kind\nwatch:\n  namespaces:\n    - a\n    - b,c\n"
      "  timeout: 30s\nmetrics: {initial-zero: 0}\n",
      "c.yaml");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->values.size(), 4U);
  const auto& values = parsed->values;
  EXPECT_EQ(PlaceOf(values[0], "c.yaml"), "c.yaml line 2: context");
  EXPECT_THAT(values[0].values, ElementsAre("kind"));
  EXPECT_EQ(PlaceOf(values[1], "c.yaml"), "c.yaml line 4: watch.namespaces");
  EXPECT_THAT(values[1].values, ElementsAre("a", "b,c"));
  EXPECT_EQ(PlaceOf(values[2], "c.yaml"), "c.yaml line 7: watch.timeout");
  EXPECT_THAT(values[3].values, ElementsAre("0"));
}

TEST(ConfigFileTest, ReadsMergeKeys) {
  const auto parsed = ParseConfigFile(
      "log: &log {level: debug}\n"
      "metrics:\n  <<: [{initial-zero: 1s}, {initial-zero: 2s, retention: 0}]\n"
      "<<: {log: {level: warn}, context: a}\n",
      "c.yaml");
  ASSERT_TRUE(parsed);
  std::vector<std::string> seen;
  for (const auto& value : parsed->values) {
    seen.push_back(PlaceOf(value, "c.yaml") + "=" + value.values[0]);
  }
  EXPECT_THAT(seen, ElementsAre("c.yaml line 1: log.level=debug",
                                "c.yaml line 3: metrics.initial-zero=1s",
                                "c.yaml line 3: metrics.retention=0",
                                "c.yaml line 4: context=a"));
  EXPECT_EQ(RefusedFile("<<: 1"),
            "c.yaml line 1: the merge key (<<) of the map must be a map");
}

TEST(ConfigFileTest, AnEmptyFileSetsNothing) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "~", "{}"}) {
    const auto parsed = ParseConfigFile(text, "c.yaml");
    ASSERT_TRUE(parsed) << text;
    EXPECT_THAT(parsed->values, IsEmpty());
  }
  const auto empty = ParseConfigFile("watch: {namespaces: []}", "c.yaml");
  ASSERT_TRUE(empty);
  EXPECT_THAT(empty->values[0].values, IsEmpty());
}

TEST(ConfigFileTest, RefusesWithLineAndOneSentence) {
  constexpr std::string_view kUnknown =
      "; --help lists the options, and each dot in a name is a level in the "
      "file";
  EXPECT_EQ(RefusedFile("a: 1"),
            "c.yaml line 1: there is no option a" + std::string(kUnknown));
  EXPECT_EQ(
      RefusedFile("\nwatch:\n  timout: 1m"),
      "c.yaml line 3: there is no option watch.timout" + std::string(kUnknown));
  EXPECT_EQ(RefusedFile("watch.timeout: 1m"),
            "c.yaml line 1: there is no option watch.timeout" +
                std::string(kUnknown));
  EXPECT_EQ(RefusedFile("config: {file: x}"),
            "c.yaml line 1: config.file can only be given on the command line");
  EXPECT_EQ(RefusedFile("log: debug"),
            "c.yaml line 1: log must be a map of the options that --help lists "
            "as --log.<name>");
  EXPECT_EQ(RefusedFile("log: {level: [debug]}"),
            "c.yaml line 1: log.level must be a single value");
  EXPECT_EQ(RefusedFile("log: {level: }"),
            "c.yaml line 1: log.level must be a single value");
  EXPECT_EQ(RefusedFile("watch: {namespaces: a}"),
            "c.yaml line 1: watch.namespaces must be a list, such as [a, b]");
  EXPECT_EQ(RefusedFile("watch:\n  namespaces:\n"),
            "c.yaml line 2: watch.namespaces must be a list, such as [a, b]");
  EXPECT_EQ(
      RefusedFile("watch: {namespaces: [{}]}"),
      "c.yaml line 1: each entry of watch.namespaces must be a single value");
  EXPECT_EQ(RefusedFile("context: a\ncontext: b"),
            "c.yaml line 2: \"context\" is given twice; keep one of them");
  EXPECT_EQ(RefusedFile("log: {level: debug}\nlog: {format: json}"),
            "c.yaml line 2: \"log\" is given twice; keep one of them");
  EXPECT_EQ(RefusedFile("[a]: b"),
            "c.yaml line 1: the map has a key that is not a string");
  EXPECT_EQ(RefusedFile("- a"),
            "c.yaml line 1: the file must be a map of options, such as log: "
            "{level: debug}");
  EXPECT_EQ(RefusedFile("context: a\n---\ncontext: b\n"),
            "c.yaml line 2: a second YAML document begins; keep one");
  // yaml-cpp 0.7 finds endless documents in this text.
  EXPECT_EQ(RefusedFile("\"\"t\n? "),
            "c.yaml line 1: a second YAML document begins; keep one");
  EXPECT_EQ(RefusedFile("context: [a\n")
                .rfind("c.yaml line 2: the file is not valid YAML: ", 0),
            0U);
  EXPECT_EQ(RefusedFile(std::string((size_t{1} << 20) + 1, '#')),
            "c.yaml: the file is larger than 1 MiB");
}

TEST(ConfigFileTest, ANameBelowAnotherOptionIsOneKey) {
  const auto parsed = ParseConfigFile(
      "scope: cluster\nscope.trusted-namespaces: [npd, 'infra-.*']\n",
      "c.yaml");
  ASSERT_TRUE(parsed);
  ASSERT_EQ(parsed->values.size(), 2U);
  EXPECT_EQ(PlaceOf(parsed->values[0], "c.yaml"), "c.yaml line 1: scope");
  EXPECT_THAT(parsed->values[0].values, ElementsAre("cluster"));
  EXPECT_EQ(PlaceOf(parsed->values[1], "c.yaml"),
            "c.yaml line 2: scope.trusted-namespaces");
  EXPECT_THAT(parsed->values[1].values, ElementsAre("npd", "infra-.*"));
  EXPECT_EQ(RefusedFile("scope: {trusted-namespaces: [npd]}"),
            "c.yaml line 1: scope must be a single value; "
            "scope.trusted-namespaces is a key of its own");
  EXPECT_EQ(RefusedFile("scope.trusted-namespaces: npd"),
            "c.yaml line 1: scope.trusted-namespaces must be a list, such as "
            "[a, b]");
}

TEST(ConfigFileTest, TrustIsNoKeyOfASinksFilter) {
  EXPECT_EQ(RefusedFile("sinks:\n- name: a\n  type: log\n"
                        "  filter: {scope.trusted-namespaces: [a]}"),
            "c.yaml line 4: the sink's filter has the unknown key "
            "\"scope.trusted-namespaces\"; valid keys are scope, and "
            "namespaces, objects, kinds, reasons, types, components and "
            "messages, each also with -exclude");
}

}  // namespace
}  // namespace kem

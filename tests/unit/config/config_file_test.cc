#include "config/config_file.h"

#include <gmock/gmock.h>

#include <string_view>

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Refused(std::string_view text) {
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

TEST(ConfigFileTest, AnEmptyFileSaysNothing) {
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
      "; --help lists them, and each dot in a name is a level in the file";
  EXPECT_EQ(Refused("a: 1"),
            "c.yaml line 1: there is no option a" + std::string(kUnknown));
  EXPECT_EQ(
      Refused("\nwatch:\n  timout: 1m"),
      "c.yaml line 3: there is no option watch.timout" + std::string(kUnknown));
  EXPECT_EQ(Refused("watch.timeout: 1m"),
            "c.yaml line 1: there is no option watch.timeout" +
                std::string(kUnknown));
  EXPECT_EQ(Refused("config: {file: x}"),
            "c.yaml line 1: config.file cannot stand in the file itself");
  EXPECT_EQ(Refused("log: debug"),
            "c.yaml line 1: log must be a map of options, as --help names them "
            "after log.");
  EXPECT_EQ(Refused("log: {level: [debug]}"),
            "c.yaml line 1: log.level must have one value");
  EXPECT_EQ(Refused("log: {level: }"),
            "c.yaml line 1: log.level must have one value");
  EXPECT_EQ(Refused("watch: {namespaces: a}"),
            "c.yaml line 1: watch.namespaces must be a list, such as [a, b]");
  EXPECT_EQ(Refused("watch: {namespaces: [{}]}"),
            "c.yaml line 1: watch.namespaces must be a list of texts");
  EXPECT_EQ(Refused("context: a\ncontext: b"),
            "c.yaml line 2: context stands here twice; keep one of them");
  EXPECT_EQ(Refused("log: {level: debug}\nlog: {format: json}"),
            "c.yaml line 2: log stands here twice; keep one of them");
  EXPECT_EQ(Refused("[a]: b"), "c.yaml line 1: a key is no text");
  EXPECT_EQ(Refused("- a"),
            "c.yaml line 1: options are expected, such as log: {level: debug}");
  EXPECT_EQ(Refused("context: a\n---\ncontext: b\n"),
            "c.yaml line 2: a second document begins; keep one");
  // One text of which yaml-cpp 0.7 makes endless documents.
  EXPECT_EQ(Refused("\"\"t\n? "),
            "c.yaml line 1: a second document begins; keep one");
  EXPECT_EQ(
      Refused("context: [a\n").rfind("c.yaml line 2: this is not YAML: ", 0),
      0U);
  EXPECT_EQ(Refused(std::string((size_t{1} << 20) + 1, '#')),
            "c.yaml: the file is larger than 1 MiB");
}

TEST(ConfigFileTest, NoOptionsNameIsTheBeginningOfAnothers) {
  for (const OptionRow& row : OptionTable()) {
    for (const OptionRow& other : OptionTable()) {
      EXPECT_FALSE(std::string_view(other.name)
                       .starts_with(std::string(row.name) + "."));
    }
  }
}

}  // namespace
}  // namespace kem

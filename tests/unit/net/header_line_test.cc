#include "net/header_line.h"

#include <gtest/gtest.h>

#include <string>

namespace kem {
namespace {

TEST(HeaderLineTest, TakesNameAndValueApart) {
  const struct {
    const char* line;
    const char* name;
    const char* value;
  } cases[] = {
      {"Host: a", "Host", "a"},
      {"Host:a", "Host", "a"},
      {"Host: \t a b\t ", "Host", "a b"},
      {"X:", "X", ""},
      {"X: \t", "X", ""},
      {"Date: Mon, 23 Nov 2026 10:00:00 GMT", "Date",
       "Mon, 23 Nov 2026 10:00:00 GMT"},
      {"!#$%&'*+-.^_`|~09azAZ: :", "!#$%&'*+-.^_`|~09azAZ", ":"},
  };
  for (const auto& c : cases) {
    const std::optional<HeaderLine> line = SplitHeaderLine(c.line);
    ASSERT_TRUE(line) << c.line;
    EXPECT_EQ(line->name, c.name);
    EXPECT_EQ(line->value, c.value);
  }
}

TEST(HeaderLineTest, RefusesWhatIsNoHeader) {
  for (const char* line :
       {"", ":", ": x", "no colon", "Two words: x", "Blank : x", " Folded: x",
        "\tFolded: x", "X\x01: y", "X\xC3\xA4: y", "(x): y", "X\r: y"}) {
    EXPECT_FALSE(SplitHeaderLine(line)) << line;
  }
  EXPECT_FALSE(SplitHeaderLine(std::string_view("X\0: y", 5)));
}

}  // namespace
}  // namespace kem

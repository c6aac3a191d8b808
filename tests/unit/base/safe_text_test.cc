// Which characters are hidden, and what is shown in their place.
#include "base/safe_text.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace kem {
namespace {

TEST(HiddenTest, IsWhatHasNoShape) {
  size_t hidden = 0;
  for (char32_t code = 0; code <= 0x10FFFF; ++code) hidden += IsHidden(code);
  // C0, DEL and C1, then each range of the table.
  EXPECT_EQ(hidden,
            32U + 33 + 1 + 1 + 1 + 1 + 2 + 7 + 16 + 1 + 12 + 16 + 4 + 8 + 4096);
  constexpr char32_t kSomeHidden[] = {
      0x00,   0x1B,   0x7F,   0x80,   0x9B,   0x9F,   0xAD,   0x200B, 0x200E,
      0x200F, 0x2028, 0x2029, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF, 0xE0041};
  for (const char32_t code : kSomeHidden) {
    EXPECT_TRUE(IsHidden(code)) << CodePointName(code);
  }
  constexpr char32_t kSomeShown[] = {0x20,   0x7E,   0xA0,   0xE4,
                                     0x200C, 0x200D, 0x2010, 0x2027,
                                     0x202F, 0x2070, 0xFE0F, 0x1F680};
  for (const char32_t code : kSomeShown) {
    EXPECT_FALSE(IsHidden(code)) << CodePointName(code);
  }
}

TEST(OneLineTest, ShowsWhatWouldHideOrTurnText) {
  EXPECT_EQ(OneLine(""), "");
  EXPECT_EQ(OneLine("Grüße, 世界 👩\u200D🚀"), "Grüße, 世界 👩\u200D🚀");
  EXPECT_EQ(OneLine("two\r\nlines\x1b[31m\x7f"), "two  lines [31m ");
  EXPECT_EQ(OneLine("a\u009Bb\u0080\u0085\u009F"),
            "a[U+009B]b[U+0080][U+0085][U+009F]");
  EXPECT_EQ(OneLine("a\u202Eb\u2066c\u200Fd\u2028e\uFEFF\U000E0041"),
            "a[U+202E]b[U+2066]c[U+200F]d[U+2028]e[U+FEFF][U+E0041]");
  EXPECT_EQ(OneLine(std::string_view("\0\xff\x9b\xc3", 4)),
            " \uFFFD\uFFFD\uFFFD");
}

TEST(JsonEscapeTest, ChangesOnlyHiddenCharacters) {
  EXPECT_EQ(EscapeHiddenInJson(R"({"a": ["x", 1]})"), R"({"a": ["x", 1]})");
  EXPECT_EQ(EscapeHiddenInJson("\"ä\u009B\x7F\u202E\u2028\uFEFF\U000E0041 👩\""),
            "\"ä\\u009b\\u007f\\u202e\\u2028\\ufeff\\udb40\\udc41 👩\"");
  EXPECT_EQ(EscapeHiddenInJson("{\n\t\"ä\": 1\n}"), "{\n\t\"ä\": 1\n}");
  EXPECT_EQ(EscapeHiddenInJson("\"\xff\""), "\"\xff\"");
}

TEST(JsonEscapeTest, KeepsTheValue) {
  std::string text;
  for (char32_t code = 1; code < 0x3000; ++code) {
    char escape[16];
    std::snprintf(escape, sizeof(escape), "\"\\u%04x\"",
                  static_cast<unsigned>(code));
    text += nlohmann::json::parse(escape).get<std::string>();
  }
  text += "\U000E0041\U0001F680\U0010FFFF";
  const std::string escaped = EscapeHiddenInJson(nlohmann::json(text).dump());
  EXPECT_EQ(nlohmann::json::parse(escaped), text);
  EXPECT_EQ(escaped.find('\x7F'), std::string::npos);
  EXPECT_EQ(escaped.find("\u202E"), std::string::npos);
}

}  // namespace
}  // namespace kem

#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace kem {
namespace {

TEST(CutUtf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("", 3), "");
  EXPECT_EQ(CutUtf8("abc", 3), "abc");
  EXPECT_EQ(CutUtf8("abcd", 3), "abc");
  EXPECT_EQ(CutUtf8("aé€😀", 1), "a");
  EXPECT_EQ(CutUtf8("aé€😀", 2), "a");
  EXPECT_EQ(CutUtf8("aé€😀", 3), "aé");
  EXPECT_EQ(CutUtf8("aé€😀", 5), "aé");
  EXPECT_EQ(CutUtf8("aé€😀", 6), "aé€");
  EXPECT_EQ(CutUtf8("aé€😀", 9), "aé€");
  EXPECT_EQ(CutUtf8("\x80\x80\x80\x80", 3), "");
}

// Every code point written, and read back.
TEST(FirstUtf8Test, ReadsEveryCharacter) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    std::string text;
    const auto add = [&](unsigned byte) {
      text += static_cast<char>(static_cast<unsigned char>(byte));
    };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xC0 | code >> 6);
      add(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
      add(0xE0 | code >> 12);
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
      add(0x80 | (code >> 6 & 0x3F));
      add(0x80 | (code & 0x3F));
    }
    std::string appended;
    AppendUtf8(code, appended);
    ASSERT_EQ(appended, text);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    const Utf8Char read = FirstUtf8(text);
    ASSERT_EQ(read.code, surrogate ? Utf8Char::kInvalid : code);
    ASSERT_EQ(read.size, surrogate ? 1 : text.size());
    text.pop_back();
    if (!text.empty()) {
      ASSERT_EQ(FirstUtf8(text).code, Utf8Char::kInvalid);
      ASSERT_EQ(FirstUtf8(text).size, 1U);
    }
  }
}

TEST(FirstUtf8Test, TakesBadBytesOneByOne) {
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF",
        "\xC3(", "\xE2\x82("}) {
    EXPECT_EQ(FirstUtf8(text).code, Utf8Char::kInvalid) << text;
    EXPECT_EQ(FirstUtf8(text).size, 1U) << text;
  }
}

TEST(ValidUtf8Test, ReplacesWhatIsNot) {
  std::string buffer;
  for (const std::string valid :
       {"", "a", "abcdefgh", "abcdefghi€😀", "12345678é"}) {
    EXPECT_EQ(ValidUtf8(valid, buffer), valid);
    EXPECT_TRUE(buffer.empty());
  }
  EXPECT_EQ(ValidUtf8("12345678\xff"
                      "9\xc3",
                      buffer),
            "12345678\ufffd9\ufffd");
  EXPECT_EQ(ValidUtf8("\xed\xa0\x80z", buffer), "\ufffd\ufffd\ufffdz");
}

}  // namespace
}  // namespace kem

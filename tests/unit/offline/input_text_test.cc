// Encodings, in pieces of any size.
#include "offline/input_text.h"

#include <gtest/gtest.h>

#include <string>

namespace kem {
namespace {

std::string Decode(std::string_view bytes, size_t piece) {
  InputText input;
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    text += input.Decode(bytes.substr(at, piece));
  }
  text += input.Finish();
  return text;
}

// The same in pieces of every size.
std::string DecodeInPieces(std::string_view bytes) {
  std::string whole = Decode(bytes, bytes.size() + 1);
  for (size_t piece = 1; piece < bytes.size(); ++piece) {
    EXPECT_EQ(Decode(bytes, piece), whole) << piece;
  }
  return whole;
}

using namespace std::string_view_literals;

TEST(InputTextTest, PassesUtf8On) {
  for (const std::string_view text :
       {""sv, "{"sv, "{}"sv, "\xEF"sv, "\xEF\xBB"sv, "{\"\xFF\":1}"sv,
        "\0\0\0"sv}) {
    EXPECT_EQ(DecodeInPieces(text), text);
  }
}

TEST(InputTextTest, LeavesTheByteOrderMarkOut) {
  EXPECT_EQ(DecodeInPieces("\xEF\xBB\xBF{ä}"), "{ä}");
  EXPECT_EQ(DecodeInPieces("\xEF\xBB\xBF"), "");
  EXPECT_EQ(DecodeInPieces("\xFF\xFE"), "");
  EXPECT_EQ(DecodeInPieces("{\xEF\xBB\xBF"), "{\xEF\xBB\xBF");
}

TEST(InputTextTest, ReadsUtf16) {
  EXPECT_EQ(DecodeInPieces("\xFF\xFE{\0\xE4\0\xAC\x20\x3D\xD8\x80\xDE"sv),
            "{ä€🚀");
  EXPECT_EQ(DecodeInPieces("\xFE\xFF\0{\0\xE4\x20\xAC\xD8\x3D\xDE\x80"sv),
            "{ä€🚀");
}

TEST(InputTextTest, ReadsUtf16WithoutAMark) {
  EXPECT_EQ(DecodeInPieces("{\0}\0"sv), "{}");
  EXPECT_EQ(DecodeInPieces("\0{\0}"sv), "{}");
}

TEST(InputTextTest, ReplacesWhatIsNotUtf16) {
  // A high surrogate before a letter, before another and at the end, a low one
  // alone, and half a unit.
  EXPECT_EQ(DecodeInPieces("\xFF\xFE\x3D\xD8{\0"sv), "\uFFFD{");
  EXPECT_EQ(DecodeInPieces("\xFF\xFE\x3D\xD8\x3D\xD8\x80\xDE"sv), "\uFFFD🚀");
  EXPECT_EQ(DecodeInPieces("\xFF\xFE{\0\x3D\xD8"sv), "{\uFFFD");
  EXPECT_EQ(DecodeInPieces("\xFF\xFE\x80\xDE{\0"sv), "\uFFFD{");
  EXPECT_EQ(DecodeInPieces("\xFF\xFE{\0}"sv), "{\uFFFD");
}

}  // namespace
}  // namespace kem

#include "reflector/frame_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "reflector/object_handler.h"

namespace kem {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The frames, with "malformed" and "oversize" for what is skipped.
using Frames = std::vector<std::string>;

void Drain(FrameReader& reader, Frames& frames) {
  while (const auto frame = reader.Next()) {
    switch (frame->kind) {
      case Frame::Kind::kWhole:
        frames.emplace_back(frame->bytes);
        break;
      case Frame::Kind::kMalformed:
        frames.emplace_back("malformed");
        break;
      case Frame::Kind::kOversize:
        frames.emplace_back("oversize");
        break;
    }
  }
}

Frames Read(FrameReader& reader, const std::vector<std::string>& pieces) {
  Frames frames;
  for (const std::string& piece : pieces) {
    reader.Append(piece);
    Drain(reader, frames);
  }
  return frames;
}

Frames Read(const std::vector<std::string>& pieces) {
  FrameReader reader;
  return Read(reader, pieces);
}

std::vector<std::string> BytePieces(const std::string& text) {
  std::vector<std::string> pieces;
  for (const char c : text) pieces.emplace_back(1, c);
  return pieces;
}

struct Sample {
  std::string name;
  std::string bytes;
  Frames frames;
};

// All layouts of the same frames.
class FrameReaderSampleTest : public ::testing::TestWithParam<Sample> {};

TEST_P(FrameReaderSampleTest, ComesOutWhole) {
  EXPECT_EQ(Read({GetParam().bytes}), GetParam().frames);
}

TEST_P(FrameReaderSampleTest, ComesOutWholeWhenSplitAnywhere) {
  const std::string& bytes = GetParam().bytes;
  for (size_t i = 0; i <= bytes.size(); ++i) {
    EXPECT_EQ(Read({bytes.substr(0, i), bytes.substr(i)}), GetParam().frames)
        << "split at " << i;
  }
}

TEST_P(FrameReaderSampleTest, ComesOutWholeWhenSplitAnywhereTwice) {
  const std::string& bytes = GetParam().bytes;
  for (size_t i = 0; i <= bytes.size(); ++i) {
    for (size_t j = i; j <= bytes.size(); ++j) {
      ASSERT_EQ(
          Read({bytes.substr(0, i), bytes.substr(i, j - i), bytes.substr(j)}),
          GetParam().frames)
          << "split at " << i << " and " << j;
    }
  }
}

TEST_P(FrameReaderSampleTest, ComesOutWholeByteByByte) {
  EXPECT_EQ(Read(BytePieces(GetParam().bytes)), GetParam().frames);
}

TEST_P(FrameReaderSampleTest, LeavesNothingBehind) {
  FrameReader reader;
  Read(reader, {GetParam().bytes});
  EXPECT_EQ(reader.Finish(), 0u);
}

const std::string kFirst = R"({"a":"{\"}\\","b":[1,{}]})";
const std::string kSecond = R"({"c":{"d":"}{"},"e":null})";
const std::string kThird = R"({"f":"\\\"","g":-1.5e+3})";
const std::string kPretty = "{\n  \"a\": [\n    {},\n    true\n  ]\n}";

INSTANTIATE_TEST_SUITE_P(
    All, FrameReaderSampleTest,
    ::testing::Values(
        Sample{"ALine", kFirst + "\n", {kFirst}},
        Sample{"ThreeLines",
               kFirst + "\n" + kSecond + "\n" + kThird + "\n",
               {kFirst, kSecond, kThird}},
        Sample{"CarriageReturns",
               kFirst + "\r\n" + kSecond + "\r\n",
               {kFirst, kSecond}},
        Sample{"BlankLines",
               "\n\n" + kFirst + "\n \t\n" + kSecond + " \n\n",
               {kFirst, kSecond}},
        Sample{"Indented",
               "  " + kFirst + "\n\t" + kSecond + "\n",
               {kFirst, kSecond}},
        Sample{
            "WithoutALastNewline", kFirst + "\n" + kSecond, {kFirst, kSecond}},
        Sample{"OverSeveralLines",
               kPretty + "\n" + kPretty + "\n",
               {kPretty, kPretty}},
        Sample{"OverSeveralLinesWithoutNewlineBetween",
               kPretty + kPretty,
               {kPretty, kPretty}},
        Sample{"Mixed",
               kPretty + "\n" + kFirst + "\n" + kPretty + kSecond,
               {kPretty, kFirst, kPretty, kSecond}},
        Sample{"WithAnEmptyObject", "{}\n{ }\n{\n}\n", {"{}", "{ }", "{\n}"}}),
    [](const auto& param) { return param.param.name; });

TEST(FrameReaderTest, GivesTwoObjectsOnOneLineInOneFrameAtMost) {
  EXPECT_THAT(Read({kFirst + kSecond + "\n"}), ElementsAre(kFirst + kSecond));
  EXPECT_THAT(Read({kFirst, kSecond + "\n"}), ElementsAre(kFirst, kSecond));
}

TEST(FrameReaderTest, DeliversAFrameBeforeItsNewline) {
  FrameReader reader;
  EXPECT_THAT(Read(reader, {kFirst}), ElementsAre(kFirst));
  EXPECT_THAT(Read(reader, {"\n"}), IsEmpty());
  EXPECT_EQ(reader.Finish(), 0u);
}

TEST(FrameReaderTest, ReturnsHowMuchOfAFrameWasLeft) {
  FrameReader reader;
  EXPECT_THAT(Read(reader, {kFirst + "\n", " {\"c\""}), ElementsAre(kFirst));
  EXPECT_EQ(reader.Finish(), 4u);
  EXPECT_EQ(reader.Finish(), 0u);
  EXPECT_THAT(Read(reader, {kSecond + "\n"}), ElementsAre(kSecond));
}

TEST(FrameReaderTest, ForgetsOnReset) {
  FrameReader reader;
  Read(reader, {R"({"type":"ADDED", "a":"}")"});
  reader.Reset();
  EXPECT_THAT(Read(reader, {kSecond + "\n"}), ElementsAre(kSecond));
}

TEST(FrameReaderTest, ReportsTextOncePerLine) {
  EXPECT_THAT(Read({"404 page not ", "found\n" + kFirst + "\n"}),
              ElementsAre("malformed", kFirst));
  EXPECT_THAT(Read(BytePieces("oops\n" + kFirst + "\nagain")),
              ElementsAre("malformed", kFirst, "malformed"));
}

TEST(FrameReaderTest, ReportsAFrameThatCanNeverEnd) {
  // A newline inside a string.
  EXPECT_THAT(Read({"{\"a\":\"b\n" + kFirst + "\n"}),
              ElementsAre("malformed", kFirst));
  // The end is missing, and the next frame is where a comma should be.
  EXPECT_THAT(Read({R"({"a":{"b":1)"
                    "\n" +
                    kFirst + "\n" + kSecond + "\n"}),
              ElementsAre("malformed", kFirst, kSecond));
  // Bytes that are not valid in JSON.
  EXPECT_THAT(Read({"{<html>\n" + kFirst + "\n"}),
              ElementsAre("malformed", kFirst));
  EXPECT_THAT(Read({std::string("{\0\n", 3) + kFirst + "\n"}),
              ElementsAre("malformed", kFirst));
}

TEST(FrameReaderTest, DoesNotBufferGarbage) {
  FrameReader reader;
  Frames frames;
  for (int i = 0; i < 1000; ++i) {
    reader.Append(std::string(10000, 'x'));
    Drain(reader, frames);
  }
  EXPECT_THAT(frames, ElementsAre("malformed"));
  EXPECT_LE(reader.capacity(), size_t{1} << 20);
}

TEST(FrameReaderTest, SkipsAnOversizeFrameToItsEnd) {
  const std::string huge = R"({"a":")" + std::string(100, '}') + R"("})";
  const Frames expected = {kFirst, "oversize", kSecond};
  const std::vector<std::string> streams = {
      kFirst + "\n" + huge + "\n" + kSecond + "\n",
      kFirst + "\n" + huge + kSecond + "\n",
      kFirst + "\r\n" + huge + "\r\n\n" + kSecond};
  for (const std::string& bytes : streams) {
    FrameReader reader(64);
    EXPECT_EQ(Read(reader, BytePieces(bytes)), expected);
    for (size_t i = 0; i <= bytes.size(); ++i) {
      EXPECT_EQ(Read(reader, {bytes.substr(0, i), bytes.substr(i)}), expected)
          << i;
    }
  }
}

TEST(FrameReaderTest, ReportsAnOversizeFrameAsSoonAsItIsOne) {
  FrameReader reader(64);
  EXPECT_THAT(Read(reader, {R"({"a":")" + std::string(100, 'x')}),
              ElementsAre("oversize"));
  EXPECT_THAT(Read(reader, {std::string(100, 'x')}), IsEmpty());
  EXPECT_EQ(reader.Finish(), 0u);
}

TEST(FrameReaderTest, ComesOutOfAnOversizeFrameThatIsGarbage) {
  FrameReader reader(64);
  EXPECT_THAT(Read(reader, {R"({"a":")" + std::string(100, 'x'), "\n" + kFirst,
                            "\n" + kSecond + "\n"}),
              ElementsAre("oversize", kFirst, kSecond));
}

TEST(FrameReaderTest, TakesAFrameOfExactlyTheLimit) {
  const std::string frame = R"({"a":")" + std::string(56, 'x') + R"("})";
  ASSERT_EQ(frame.size(), 64u);
  FrameReader reader(64);
  EXPECT_THAT(Read(reader, {frame + "\n"}), ElementsAre(frame));
  EXPECT_THAT(Read(reader, BytePieces(frame + "\n")), ElementsAre(frame));
}

TEST(FrameReaderTest, GivesMemoryBackAfterAHugeFrame) {
  FrameReader reader;
  const std::string huge = R"({"a":")" + std::string(3 << 20, 'x') + R"("})";
  for (size_t i = 0; i < huge.size(); i += 16384) {
    reader.Append(std::string_view(huge).substr(i, 16384));
    if (i + 16384 >= huge.size()) break;
    ASSERT_FALSE(reader.Next());
  }
  const auto frame = reader.Next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->bytes, huge);
  EXPECT_FALSE(reader.Next());
  EXPECT_LE(reader.capacity(), size_t{1} << 20);
}

TEST(FrameReaderTest, FramesAreReadablePastTheirEnd) {
  FrameReader reader;
  std::string filler = "{\"a\":\"\"}\n";
  // Frames end at every distance from the end of the buffer.
  for (size_t i = 0; i < 300; ++i) {
    filler.insert(6, "x");
    for (int repeat = 0; repeat < 300; ++repeat) {
      reader.Append(filler);
      const auto frame = reader.Next();
      ASSERT_TRUE(frame);
      unsigned sum = 0;
      for (size_t k = 0; k < kJsonPadding; ++k) {
        sum += static_cast<unsigned char>(
            frame->bytes.data()[frame->bytes.size() + k]);
      }
      ASSERT_LE(sum, 255u * kJsonPadding);
    }
  }
}

}  // namespace
}  // namespace kem

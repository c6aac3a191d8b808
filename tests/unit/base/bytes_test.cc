#include "base/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace kem {
namespace {

TEST(BytesTest, IntegersAreLittleEndianOnAnyMachine) {
  std::string out = "x";
  ByteWriter writer(out);
  writer.Integer<uint32_t>(0x01020304);
  writer.Integer<int16_t>(-2);
  writer.Flag(true);
  writer.Text("ab");
  EXPECT_EQ(out, std::string("x\x04\x03\x02\x01\xfe\xff\x01\x02\0\0\0ab", 14));
}

TEST(BytesTest, WhatWasWrittenIsRead) {
  std::string out;
  ByteWriter writer(out);
  writer.Integer<uint8_t>(255);
  writer.Integer<uint16_t>(65535);
  writer.Integer<uint64_t>(std::numeric_limits<uint64_t>::max() - 1);
  writer.Integer<int64_t>(std::numeric_limits<int64_t>::min());
  writer.Integer<int32_t>(-7);
  writer.Flag(false);
  writer.Text(std::string_view("a\0b", 3));
  writer.Text("");
  writer.Raw("raw");
  ByteReader reader(out);
  EXPECT_EQ(reader.Integer<uint8_t>(), 255);
  EXPECT_EQ(reader.Integer<uint16_t>(), 65535);
  EXPECT_EQ(reader.Integer<uint64_t>(),
            std::numeric_limits<uint64_t>::max() - 1);
  EXPECT_EQ(reader.Integer<int64_t>(), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(reader.Integer<int32_t>(), -7);
  EXPECT_FALSE(reader.Flag());
  EXPECT_EQ(reader.Text(), std::string_view("a\0b", 3));
  EXPECT_EQ(reader.Text(), "");
  EXPECT_EQ(reader.left(), 3U);
  EXPECT_FALSE(reader.Done());
  EXPECT_EQ(reader.Raw(3), "raw");
  EXPECT_TRUE(reader.Done());
}

TEST(BytesTest, FailureSticks) {
  ByteReader reader(std::string_view("\x01\x02\x03", 3));
  EXPECT_EQ(reader.Integer<uint32_t>(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.Integer<uint8_t>(), 0U);
  EXPECT_EQ(reader.Text(), "");
  EXPECT_FALSE(reader.Done());
}

TEST(BytesTest, TextLongerThanTheBytesIsAFailure) {
  ByteReader reader(
      std::string_view("\xff\xff\xff\xff"
                       "ab",
                       6));
  EXPECT_EQ(reader.Text(), "");
  EXPECT_FALSE(reader.ok());
}

TEST(BytesTest, TimesAreFarFromTheEndsOfTheirType) {
  constexpr int64_t kMost = int64_t{1} << 61;
  const auto read = [](int64_t saved) {
    std::string bytes;
    ByteWriter(bytes).Integer<int64_t>(saved);
    ByteReader reader(bytes);
    const SteadyTime time = reader.Steady();
    return reader.ok() ? std::to_string(time.time_since_epoch().count())
                       : "failed";
  };
  EXPECT_EQ(read(-2), "-2");
  EXPECT_EQ(read(kMost), std::to_string(kMost));
  EXPECT_EQ(read(kMost + 1), "failed");
  EXPECT_EQ(read(-kMost), std::to_string(-kMost));
  EXPECT_EQ(read(-kMost - 1), "failed");
  EXPECT_EQ(read(std::numeric_limits<int64_t>::max()), "failed");
}

TEST(BytesTest, AShiftedTimeIsOneThatCanBeRead) {
  using std::chrono::nanoseconds;
  constexpr int64_t kMost = int64_t{1} << 61;
  const auto shifted = [](int64_t time, int64_t shift) {
    return Shifted(SteadyTime(nanoseconds(time)), nanoseconds(shift))
        .time_since_epoch()
        .count();
  };
  EXPECT_EQ(shifted(7, -9), -2);
  EXPECT_EQ(shifted(kMost - 1, 1), kMost);
  EXPECT_EQ(shifted(kMost, 1), kMost);
  EXPECT_EQ(shifted(-kMost, -1), -kMost);
  EXPECT_EQ(shifted(1, std::numeric_limits<int64_t>::max()), kMost);
  EXPECT_EQ(shifted(-1, std::numeric_limits<int64_t>::min()), -kMost);
}

TEST(BytesTest, FlagIsZeroOrOne) {
  ByteReader reader("\x02");
  EXPECT_FALSE(reader.Flag());
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace kem

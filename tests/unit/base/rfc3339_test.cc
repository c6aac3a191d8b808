#include "base/rfc3339.h"

#include <gtest/gtest.h>

namespace kem {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

WallTime At(int year, unsigned month, unsigned day) {
  return std::chrono::sys_days(std::chrono::year(year) /
                               static_cast<int>(month) / static_cast<int>(day));
}

TEST(Rfc3339Test, ReadsTimeAndMicroTime) {
  const WallTime noon = At(2026, 11, 23) + hours(12);
  EXPECT_EQ(ParseRfc3339("2026-11-23T12:00:00Z"), noon);
  EXPECT_EQ(ParseRfc3339("2026-11-23T12:00:00.123456Z"),
            noon + microseconds(123456));
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00Z"), WallTime());
}

TEST(Rfc3339Test, CutsFractionsToMicroseconds) {
  const WallTime noon = At(2026, 11, 23) + hours(12);
  EXPECT_EQ(ParseRfc3339("2026-11-23T12:00:00.1Z"),
            noon + microseconds(100000));
  EXPECT_EQ(ParseRfc3339("2026-11-23T12:00:00.000001999Z"),
            noon + microseconds(1));
  EXPECT_FALSE(ParseRfc3339("2026-11-23T12:00:00.1234567890Z"));
  EXPECT_FALSE(ParseRfc3339("2026-11-23T12:00:00.Z"));
}

TEST(Rfc3339Test, ReadsOffsets) {
  const WallTime noon = At(2026, 11, 23) + hours(12);
  EXPECT_EQ(ParseRfc3339("2026-11-23T14:00:00+02:00"), noon);
  EXPECT_EQ(ParseRfc3339("2026-11-23T06:30:00-05:30"), noon);
  EXPECT_EQ(ParseRfc3339("2026-11-23t12:00:00z"), noon);
  EXPECT_EQ(ParseRfc3339("2026-11-23T12:00:00.5-00:00"),
            noon + microseconds(500000));
}

TEST(Rfc3339Test, KnowsTheCalendar) {
  EXPECT_TRUE(ParseRfc3339("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(ParseRfc3339("2026-02-29T00:00:00Z"));
  EXPECT_FALSE(ParseRfc3339("2026-04-31T00:00:00Z"));
  EXPECT_FALSE(ParseRfc3339("2026-13-01T00:00:00Z"));
  EXPECT_FALSE(ParseRfc3339("2026-00-01T00:00:00Z"));
  EXPECT_FALSE(ParseRfc3339("0000-01-01T00:00:00Z"));
  EXPECT_TRUE(ParseRfc3339("0001-01-01T00:00:00Z"));
  EXPECT_TRUE(ParseRfc3339("9999-12-31T23:59:59.999999Z"));
  EXPECT_EQ(ParseRfc3339("2016-12-31T23:59:60Z"), At(2017, 1, 1));
}

TEST(Rfc3339Test, RefusesEverythingElse) {
  for (const char* text : {"",
                           "Z",
                           "2026-11-23",
                           "2026-11-23T12:00:00",
                           "2026-11-23 12:00:00Z",
                           "2026-11-23T12:00:00ZZ",
                           "2026-11-23T12:00:00 Z",
                           "2026-11-23T24:00:00Z",
                           "2026-11-23T12:60:00Z",
                           "2026-11-23T12:00:61Z",
                           "2026-11-23T12:00:00+2:00",
                           "2026-11-23T12:00:00+0200",
                           "2026-11-23T12:00:00+24:00",
                           "2026-11-23T12:00:00+02:60",
                           "2026-11-23T12:00:00+02:0x",
                           "-026-11-23T12:00:00Z",
                           "2026-1 -23T12:00:00Z",
                           "null",
                           "2026/11/23T12:00:00Z",
                           "2026-11-23T12-00-00Z",
                           "+2026-11-23T12:00:00Z",
                           "2026-11-23T12:00:00,5Z"}) {
    EXPECT_FALSE(ParseRfc3339(text)) << text;
  }
  EXPECT_FALSE(ParseRfc3339(std::string_view("2026-11-23T12:00:00\0", 20)));
}

TEST(Rfc3339Test, ReadsEveryPrefixSafely) {
  const std::string_view whole = "2026-11-23T12:00:00.123456+02:00";
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseRfc3339(whole.substr(0, size))) << size;
  }
}

TEST(HttpDateTest, ReadsTheOneForm) {
  EXPECT_EQ(ParseHttpDate("Mon, 23 Nov 2026 12:53:29 GMT"),
            At(2026, 11, 23) + hours(12) + minutes(53) + seconds(29));
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:00:00 GMT"), WallTime());
}

TEST(HttpDateTest, RefusesEverythingElse) {
  for (const char* text :
       {"", "Mon, 23 Nov 2026 12:53:29", "Mon, 23 Nov 2026 12:53:29 CET",
        "Mon, 23 nov 2026 12:53:29 GMT", "Mon, 31 Nov 2026 12:53:29 GMT",
        "Mon, 23 Xxx 2026 12:53:29 GMT", "Mon, 23 Nov 2026 25:53:29 GMT",
        "Monday, 23-Nov-26 12:53:29 GMT", "Mon Nov 23 12:53:29 2026",
        "Mon, 3 Nov 2026 12:53:29 GMT "}) {
    EXPECT_FALSE(ParseHttpDate(text)) << text;
  }
}

TEST(HttpDateTest, IsWrittenAsItIsRead) {
  // RFC 9110, 5.6.7 and 6.6.1.
  EXPECT_EQ(FormatHttpDate(At(1994, 11, 6) + hours(8) + minutes(49) +
                           seconds(37) + microseconds(999999)),
            "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* text :
       {"Thu, 01 Jan 1970 00:00:00 GMT", "Tue, 29 Feb 2000 23:59:59 GMT",
        "Fri, 31 Dec 9999 01:02:03 GMT", "Sat, 28 Nov 2026 00:00:00 GMT"}) {
    EXPECT_EQ(FormatHttpDate(*ParseHttpDate(text)), text);
  }
}

TEST(FormatRfc3339Test, WritesMilliseconds) {
  EXPECT_EQ(FormatRfc3339Millis(At(2026, 11, 23) + hours(12) + minutes(53) +
                                seconds(29) + microseconds(123999)),
            "2026-11-23T12:53:29.123Z");
  EXPECT_EQ(FormatRfc3339Millis(WallTime()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatRfc3339Millis(WallTime(microseconds(-1))),
            "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatRfc3339Millis(At(1, 2, 3)), "0001-02-03T00:00:00.000Z");
}

TEST(FormatRfc3339Test, CutsToSeconds) {
  EXPECT_EQ(FormatRfc3339Seconds(At(2026, 11, 23) + hours(12) + minutes(53) +
                                 seconds(29) + microseconds(999999)),
            "2026-11-23T12:53:29Z");
  EXPECT_EQ(FormatRfc3339Seconds(WallTime(microseconds(-1))),
            "1969-12-31T23:59:59Z");
}

TEST(FormatRfc3339Test, KeepsToYearsOfFourDigits) {
  EXPECT_EQ(FormatRfc3339Millis(WallTime::min()), "0001-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatRfc3339Seconds(WallTime::max()), "9999-12-31T23:59:59Z");
}

TEST(FormatRfc3339Test, IsReadBackToTheMillisecond) {
  for (const char* text :
       {"2024-02-29T23:59:59.999Z", "2000-01-01T00:00:00.000Z",
        "1999-12-31T12:34:56.789Z", "9999-12-31T23:59:59.999Z"}) {
    EXPECT_EQ(FormatRfc3339Millis(*ParseRfc3339(text)), text);
  }
}

}  // namespace
}  // namespace kem

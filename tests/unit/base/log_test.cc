#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/rfc3339.h"
#include "base/unique_fd.h"

namespace kem {
namespace {

constexpr char kTime[] = "2026-11-23T12:00:00.000Z";

std::string Logfmt(std::string_view msg,
                   std::initializer_list<LogField> fields) {
  const std::string line =
      FormatLogLine(LogFormat::kLogfmt, kTime, LogLevel::kInfo, msg, fields);
  const std::string begin = std::string("time=") + kTime + " level=info msg=";
  EXPECT_THAT(line, testing::StartsWith(begin));
  return line.substr(begin.size());
}

std::string Json(std::string_view msg, std::initializer_list<LogField> fields) {
  const std::string line =
      FormatLogLine(LogFormat::kJson, kTime, LogLevel::kWarn, msg, fields);
  const std::string begin =
      std::string(R"({"time":")") + kTime + R"(","level":"warn",)";
  EXPECT_THAT(line, testing::StartsWith(begin));
  return line.substr(begin.size());
}

TEST(LogTest, WritesLogfmt) {
  EXPECT_EQ(Logfmt("Listening on", {{"address", "[::]:1"}, {"count", 3}}),
            R"("Listening on" address=[::]:1 count=3)");
  EXPECT_EQ(Logfmt("ready", {}), "ready");
}

TEST(LogTest, QuotesLogfmtValuesThatNeedIt) {
  EXPECT_EQ(Logfmt("m", {{"a", ""}, {"b", "x y"}, {"c", "k=v"}}),
            R"(m a="" b="x y" c="k=v")");
  EXPECT_EQ(Logfmt("m", {{"a", "say \"hi\""}, {"b", "C:\\x"}}),
            R"(m a="say \"hi\"" b="C:\\x")");
}

TEST(LogTest, KeepsALineALine) {
  EXPECT_EQ(Logfmt("m", {{"a", "one\ntwo\r\tthree"}}),
            R"(m a="one\ntwo\r\tthree")");
  EXPECT_EQ(Logfmt("m", {{"a", std::string("\0\x1B[31m", 6)}}),
            R"(m a="\u0000\u001b[31m")");
  EXPECT_EQ(Json("m", {{"a", "one\ntwo"}}), R"("msg":"m","a":"one\ntwo"})");
}

TEST(LogTest, EscapesWhatHidesOrTurnsText) {
  EXPECT_EQ(Logfmt("m\u202E", {{"a", "x\u009B31m\x7F\u2028\uFEFF"}}),
            R"("m\u202e" a="x\u009b31m\u007f\u2028\ufeff")");
  EXPECT_EQ(Json("m", {{"a", "\u009B\x7F\u202E\u2066\U000E0041"}}),
            R"("msg":"m","a":"\u009b\u007f\u202e\u2066\udb40\udc41"})");
  EXPECT_EQ(Logfmt("m", {{"a", "👩\u200D🚀"}}), "m a=\"👩\u200D🚀\"");
}

TEST(LogTest, WritesJson) {
  EXPECT_EQ(Json("say \"hi\"", {{"count", -1}, {"path", "C:\\x"}}),
            R"("msg":"say \"hi\"","count":"-1","path":"C:\\x"})");
}

TEST(LogTest, ReplacesInvalidUtf8) {
  EXPECT_EQ(Json("m", {{"a", "\xFF-\xC3"}}),
            "\"msg\":\"m\",\"a\":\"\xEF\xBF\xBD-\xEF\xBF\xBD\"}");
  EXPECT_EQ(Logfmt("m", {{"a", "\xFF"}}), "m a=\"\xEF\xBF\xBD\"");
  EXPECT_EQ(Logfmt("m", {{"a", "\xC3\xA4"}}), "m a=\"\xC3\xA4\"");
}

TEST(LogTest, WritesToStderrFromItsLevelUp) {
  testing::internal::CaptureStderr();
  InitLog(LogLevel::kWarn, LogFormat::kLogfmt);
  LogDebug("one", {});
  LogInfo("two", {});
  LogWarn("three", {{"a", "{}"}});
  LogError("four", {});
  InitLog(LogLevel::kInfo, LogFormat::kLogfmt);
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, testing::MatchesRegex("time=[^ ]+ level=warn msg=three "
                                           "a=\\{\\}\ntime=[^ ]+ level=error "
                                           "msg=four\n"));
  EXPECT_TRUE(ParseRfc3339(lines.substr(5, 24))) << lines;
}

TEST(LogTest, NamesEveryLevel) {
  const std::pair<LogLevel, const char*> levels[] = {
      {LogLevel::kDebug, "level=debug "},
      {LogLevel::kInfo, "level=info "},
      {LogLevel::kWarn, "level=warn "},
      {LogLevel::kError, "level=error "}};
  for (const auto& [level, text] : levels) {
    EXPECT_THAT(FormatLogLine(LogFormat::kLogfmt, "t", level, "m", {}),
                testing::HasSubstr(text));
  }
}

// Replaces standard error by a pipe that is not read.
class StalledError {
 public:
  StalledError() : usual_(::dup(STDERR_FILENO)) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader_ = UniqueFd(ends[0]);
    ::dup2(ends[1], STDERR_FILENO);
    ::close(ends[1]);
  }
  ~StalledError() { ::dup2(usual_.get(), STDERR_FILENO); }
  StalledError(const StalledError&) = delete;
  StalledError& operator=(const StalledError&) = delete;

  std::string Read() {
    std::string text(1 << 20, '\0');
    const ssize_t got = ::read(reader_.get(), text.data(), text.size());
    text.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return text;
  }

 private:
  const UniqueFd usual_;
  UniqueFd reader_;
};

TEST(LogTest, DropsAndCountsLinesWhileStandardErrorIsNotRead) {
  StalledError stalled;
  const std::string filler(3000, 'x');
  // A pipe has room for 64 KiB, and so for fewer than 25 of these lines.
  for (int i = 0; i < 40; ++i) LogWarn("line", {{"text", filler}});
  const std::string first = stalled.Read();
  const auto whole = std::count(first.begin(), first.end(), '\n');
  LogWarn("the next", {});
  const std::string second = stalled.Read();
  EXPECT_THAT(second, testing::HasSubstr(
                          "level=warn msg=\"Standard error was not read, lines "
                          "dropped\" lines=" +
                          std::to_string(40 - whole) + "\n"));
  EXPECT_THAT(second, testing::EndsWith("level=warn msg=\"the next\"\n"));
  // A line that was cut has an end.
  EXPECT_EQ(second.front(), first.ends_with('\n') ? 't' : '\n');
}

}  // namespace
}  // namespace kem

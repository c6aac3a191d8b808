#include "base/log.h"

#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/safe_text.h"

namespace kem {
namespace {

std::atomic<LogFormat> g_format{LogFormat::kLogfmt};

struct LevelEntry {
  spdlog::level::level_enum level;
  std::string_view name;
};

const LevelEntry& Entry(LogLevel level) {
  static constexpr std::array<LevelEntry, 4> kEntries = {
      {{spdlog::level::debug, "debug"},
       {spdlog::level::info, "info"},
       {spdlog::level::warn, "warn"},
       {spdlog::level::err, "error"}}};
  static_assert(kEntries.size() == static_cast<size_t>(LogLevel::kError) + 1);
  return kEntries[static_cast<size_t>(level)];
}

// A JSON string literal; invalid UTF-8 becomes U+FFFD.
std::string Quote(std::string_view text) {
  return EscapeHiddenInJson(JsonText(nlohmann::json(text)));
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || !IsVisibleAscii(text) ||
         text.find_first_of("\"=\\") != std::string_view::npos;
}

std::string Line(LogLevel level, std::string_view msg,
                 std::initializer_list<LogField> fields) {
  return FormatLogLine(g_format, FormatRfc3339Millis(RealClock().WallNow()),
                       level, msg, fields);
}

// Standard error, without waiting for a reader that has stalled: every thread
// logs, those that serve scrapes too. Drops lines then, and logs how many.
class StandardError : public spdlog::sinks::base_sink<std::mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0 && Write(Line(LogLevel::kWarn,
                                   "Standard error was not read, lines dropped",
                                   {{"lines", dropped_}}))) {
      dropped_ = 0;
    }
    if (dropped_ > 0 ||
        !Write({message.payload.data(), message.payload.size()})) {
      ++dropped_;
    }
  }
  void flush_() override {}

 private:
  // For a reader that is only slow; not again while it has stalled.
  static constexpr int kPatienceMilliseconds = 100;

  bool Write(std::string_view line) {
    std::string text = cut_ ? "\n" : "";
    text.append(line).append("\n");
    std::string_view rest = text;
    // In pieces that a ready pipe accepts without blocking.
    while (!rest.empty()) {
      pollfd ready{STDERR_FILENO, POLLOUT, 0};
      stalled_ = ::poll(&ready, 1, stalled_ ? 0 : kPatienceMilliseconds) == 0;
      if (stalled_) break;
      const ssize_t written = ::write(STDERR_FILENO, rest.data(),
                                      std::min<size_t>(rest.size(), PIPE_BUF));
      if (written < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (written < 0) return true;  // there is no reader to wait for
      rest.remove_prefix(static_cast<size_t>(written));
    }
    if (rest.size() < text.size()) cut_ = !rest.empty();
    return rest.empty();
  }

  bool stalled_ = false;
  bool cut_ = false;  // a line was written in part
  uint64_t dropped_ = 0;
};

spdlog::logger& Logger() {
  static const auto logger = std::make_shared<spdlog::logger>(
      "kem", std::make_shared<StandardError>());
  return *logger;
}

void Write(LogLevel level, std::string_view msg,
           std::initializer_list<LogField> fields) {
  if (!Logger().should_log(Entry(level).level)) return;
  Logger().log(Entry(level).level, "{}", Line(level, msg, fields));
}

}  // namespace

void InitLog(LogLevel level, LogFormat format) {
  g_format = format;
  Logger().set_level(Entry(level).level);
}

void LogDebug(std::string_view msg, std::initializer_list<LogField> fields) {
  Write(LogLevel::kDebug, msg, fields);
}
void LogInfo(std::string_view msg, std::initializer_list<LogField> fields) {
  Write(LogLevel::kInfo, msg, fields);
}
void LogWarn(std::string_view msg, std::initializer_list<LogField> fields) {
  Write(LogLevel::kWarn, msg, fields);
}
void LogError(std::string_view msg, std::initializer_list<LogField> fields) {
  Write(LogLevel::kError, msg, fields);
}

std::string FormatLogLine(LogFormat format, std::string_view time,
                          LogLevel level, std::string_view msg,
                          std::initializer_list<LogField> fields) {
  std::string line;
  const bool json = format == LogFormat::kJson;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!line.empty()) line += json ? "," : " ";
    line += json ? Quote(key) + ":" : std::string(key) + "=";
    line += json || NeedsQuotes(value) ? Quote(value) : std::string(value);
  };
  add("time", time);
  add("level", Entry(level).name);
  add("msg", msg);
  for (const LogField& field : fields) add(field.key, field.value);
  return json ? "{" + line + "}" : line;
}

}  // namespace kem

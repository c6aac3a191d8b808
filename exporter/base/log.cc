#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <atomic>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/clock.h"
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
  return EscapeHiddenInJson(nlohmann::json(text).dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace));
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || !IsVisibleAscii(text) ||
         text.find_first_of("\"=\\") != std::string_view::npos;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>(
        "kem", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *logger;
}

void Write(LogLevel level, std::string_view msg,
           std::initializer_list<LogField> fields) {
  if (!Logger().should_log(Entry(level).level)) return;
  Logger().log(
      Entry(level).level, "{}",
      FormatLogLine(g_format, FormatRfc3339Millis(RealClock().WallNow()), level,
                    msg, fields));
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

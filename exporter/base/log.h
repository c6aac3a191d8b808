// Structured log lines on stderr, logfmt or JSON, one object a line:
//   time=2026-11-23T12:53:29.123Z level=info msg="Listening on" address=[::]:1
// Used everywhere; takes key-value pairs, so that nothing is glued into a
// message. Never logs a line an Event above debug, and never credentials.
// All calls are thread-safe.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace kem {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

// One key-value pair; lives only as long as the call it stands in.
struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};

// Sets level and format for the process; before it, info and logfmt.
void InitLog(LogLevel level, LogFormat format);

void LogDebug(std::string_view msg, std::initializer_list<LogField> fields);
void LogInfo(std::string_view msg, std::initializer_list<LogField> fields);
void LogWarn(std::string_view msg, std::initializer_list<LogField> fields);
void LogError(std::string_view msg, std::initializer_list<LogField> fields);

// The line's text without its newline, as InitLog's format would have it.
// Control characters and invalid UTF-8 in values come out escaped.
std::string FormatLogLine(LogFormat format, std::string_view time,
                          LogLevel level, std::string_view msg,
                          std::initializer_list<LogField> fields);

}  // namespace kem

// Structured log lines on stderr, in logfmt or JSON:
//   time=2026-11-23T12:53:29.123Z level=info msg="Listening on" address=[::]:1
// Values belong in fields, not in the message. Callers must not log
// credentials, nor a line per Event above debug. All calls are thread-safe.
// None waits for the log's reader longer than 100 ms: lines are dropped and
// counted in a later line.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace kem {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

// Valid only during the call that it is an argument of.
struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};

// Sets level and format of the process; the defaults are info and logfmt.
void InitLog(LogLevel level, LogFormat format);

void LogDebug(std::string_view msg, std::initializer_list<LogField> fields);
void LogInfo(std::string_view msg, std::initializer_list<LogField> fields);
void LogWarn(std::string_view msg, std::initializer_list<LogField> fields);
void LogError(std::string_view msg, std::initializer_list<LogField> fields);

// The line without its newline. Hidden characters in values are escaped
// (base/safe_text.h), invalid UTF-8 becomes U+FFFD.
std::string FormatLogLine(LogFormat format, std::string_view time,
                          LogLevel level, std::string_view msg,
                          std::initializer_list<LogField> fields);

}  // namespace kem

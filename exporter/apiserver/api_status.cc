#include "apiserver/api_status.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/safe_text.h"
#include "base/utf8.h"

namespace kem {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxMessage = 200;
constexpr size_t kMaxQuoted = 80;
// A day, in seconds; no API server sends more. Prevents overflows.
constexpr int64_t kMaxRetryAfter = 86400;

// The first line with text in it, at most kMaxMessage bytes.
std::string FirstLine(std::string_view text) {
  const auto* const begin = std::find_if_not(
      text.begin(), text.end(), [](char c) { return IsAsciiControl(c); });
  text.remove_prefix(static_cast<size_t>(begin - text.begin()));
  std::string line =
      OneLine(CutUtf8(text.substr(0, text.find('\n')), kMaxMessage));
  // Escapes are longer than what they replace.
  line.resize(CutUtf8(line, kMaxMessage).size());
  return line;
}

// The member at `path`, else null.
const Json& At(const Json& object, const char* path) {
  static const Json nothing;
  const Json::json_pointer pointer(path);
  return object.contains(pointer) ? object.at(pointer) : nothing;
}

std::string_view TextAt(const Json& object, const char* path) {
  const Json& value = At(object, path);
  if (!value.is_string()) return {};
  return value.get_ref<const std::string&>();
}

int64_t NumberAt(const Json& object, const char* path) {
  const Json& value = At(object, path);
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() &&
                      value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX));
  return fits ? value.get<int64_t>() : 0;
}

// As client-go's isTooLargeResourceVersionError: by the cause, or the message
// of API servers before 1.17.
bool IsTooLarge(const Json& status) {
  constexpr std::string_view kMessage = "Too large resource version";
  if (TextAt(status, "/message").find(kMessage) != std::string_view::npos) {
    return true;
  }
  const Json& causes = At(status, "/details/causes");
  return causes.is_array() &&
         std::any_of(causes.begin(), causes.end(), [](const Json& cause) {
           return TextAt(cause, "/reason") == "ResourceVersionTooLarge";
         });
}

}  // namespace

ApiStatus ParseStatus(std::string_view body) {
  ApiStatus status;
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    status.message = FirstLine(body);
    return status;
  }
  status.is_status = TextAt(json, "/kind") == "Status";
  if (const int64_t code = NumberAt(json, "/code"); code >= 100 && code < 600) {
    status.code = static_cast<int>(code);
  }
  status.reason = FirstLine(TextAt(json, "/reason"));
  status.message = FirstLine(TextAt(json, "/message"));
  const int64_t seconds = NumberAt(json, "/details/retryAfterSeconds");
  if (seconds > 0 && seconds <= kMaxRetryAfter) {
    status.retry_after = std::chrono::seconds(seconds);
  }
  status.resource_version_too_large = IsTooLarge(json);
  return status;
}

std::string StatusText(int code, std::string_view reason,
                       std::string_view message) {
  std::string text = code == 0 ? "" : std::to_string(code);
  if (!text.empty() && !reason.empty()) text += ' ';
  text += reason;
  if (!text.empty() && !message.empty()) text += ": ";
  return OneLine(text.append(message));
}

std::string WhatCame(std::string_view text) {
  if (text.starts_with("\x1F\x8B")) return "gzip data";
  text = Trim(text, " \t\r\n");
  if (text.empty()) return "nothing";
  text = text.substr(0, text.find_first_of("\r\n"));
  return Quoted(OneLine(CutUtf8(text, kMaxQuoted)));
}

std::string WhatAnswered(std::string_view body) {
  const std::string_view text = Trim(body, " \t\r\n");
  if (text.starts_with('{')) {
    const ApiStatus status = ParseStatus(body.substr(0, kMaxStatusBody));
    if (!status.is_status) return "";
    return "a Status: " +
           StatusText(status.code, status.reason, status.message);
  }
  std::string what = WhatCame(body);
  if (text.starts_with('<')) {
    what +=
        ": this is HTML, so a login page or a proxy answers instead of the API "
        "server; check the server address";
  }
  return what;
}

bool IsExpired(int code, std::string_view reason) {
  return code == 410 || reason == "Expired" || reason == "Gone";
}

ErrorCode ToErrorCode(int http_status, const ApiStatus& status) {
  if (IsExpired(http_status, status.reason)) return ErrorCode::kExpired;
  switch (http_status) {
    case 401:
      return ErrorCode::kUnauthorized;
    case 403:
      return ErrorCode::kForbidden;
    case 404:
      return ErrorCode::kNotFound;
    case 408:
      return ErrorCode::kUnavailable;
    case 429:
      return ErrorCode::kThrottled;
    case 504:
      return status.resource_version_too_large ? ErrorCode::kExpired
                                               : ErrorCode::kUnavailable;
    default:
      // For 400, 422 and the like, the request is at fault. Redirects are not
      // followed; they are treated as the failure of a proxy.
      return http_status >= 400 && http_status < 500 ? ErrorCode::kRejected
                                                     : ErrorCode::kUnavailable;
  }
}

Failure ToFailure(std::string_view what, int http_status,
                  std::optional<std::chrono::seconds> retry_after,
                  std::string_view body) {
  const ApiStatus status = ParseStatus(body.substr(0, kMaxStatusBody));
  Failure failure;
  failure.error.code = ToErrorCode(http_status, status);
  failure.error.message =
      std::string(what) + " failed with status " + std::to_string(http_status);
  if (!status.message.empty()) failure.error.message += ": " + status.message;
  failure.http_status = http_status;
  failure.retry_after = retry_after ? retry_after : status.retry_after;
  return failure;
}

}  // namespace kem

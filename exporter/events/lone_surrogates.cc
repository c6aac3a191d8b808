#include "events/lone_surrogates.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/ascii.h"

namespace kem {
namespace {

constexpr size_t kEscapeSize = 6;

// The code of the escape at `at`: \ud800. Empty for anything else.
std::optional<uint16_t> CodeAt(std::string_view text, size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() - at < kEscapeSize) {
    return std::nullopt;
  }
  return ParseNumber<uint16_t>(text.substr(at + 2, 4), 16);
}

bool IsHigh(std::optional<uint16_t> code) {
  return code && *code >= 0xD800 && *code < 0xDC00;
}

bool IsLow(std::optional<uint16_t> code) {
  return code && *code >= 0xDC00 && *code < 0xE000;
}

}  // namespace

std::string UnescapeWithLoneSurrogates(std::string_view escaped) {
  std::string json = '"' + std::string(escaped) + '"';
  size_t at = 0;
  while ((at = json.find('\\', at)) != std::string::npos) {
    const std::optional<uint16_t> code = CodeAt(json, at);
    if (IsHigh(code) && IsLow(CodeAt(json, at + kEscapeSize))) {
      at += 2 * kEscapeSize;
    } else if (IsHigh(code) || IsLow(code)) {
      json.replace(at, kEscapeSize, "\\ufffd");
      at += kEscapeSize;
    } else {
      at += 2;
    }
  }
  const auto text = nlohmann::json::parse(json, nullptr,
                                          /*allow_exceptions=*/false);
  return text.is_string() ? text.get<std::string>() : std::string();
}

}  // namespace kem

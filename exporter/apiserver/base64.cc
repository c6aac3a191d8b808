#include "apiserver/base64.h"

#include <cstdint>

namespace kem {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::optional<std::string> DecodeBase64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  size_t digits = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (IsSpace(c)) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const size_t digit = kAlphabet.find(c);
    if (padding > 0 || digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<uint32_t>(digit);
    if (++digits % 4 == 0) {
      bytes += static_cast<char>((bits >> 16U) & 0xFFU);
      bytes += static_cast<char>((bits >> 8U) & 0xFFU);
      bytes += static_cast<char>(bits & 0xFFU);
    }
  }
  const size_t rest = digits % 4;
  const size_t expected_padding = rest == 0 ? 0 : 4 - rest;
  if (rest == 1 || padding != expected_padding) return std::nullopt;
  if (rest >= 2) {
    bits <<= 6U * (4U - rest);
    bytes += static_cast<char>((bits >> 16U) & 0xFFU);
    if (rest == 3) bytes += static_cast<char>((bits >> 8U) & 0xFFU);
  }
  return bytes;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const std::string_view group = bytes.substr(at, 3);
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i) {
      const char c = i < group.size() ? group[i] : '\0';
      bits = (bits << 8U) | static_cast<unsigned char>(c);
    }
    for (size_t i = 0; i < 4; ++i) {
      const bool padded = i > group.size();
      text += padded ? '=' : kAlphabet[(bits >> (18U - 6U * i)) & 0x3FU];
    }
  }
  return text;
}

}  // namespace kem

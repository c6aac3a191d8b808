// The boundaries of characters in UTF-8. Used wherever text from outside is cut
// or shown. Does not classify characters; base/safe_text.h does.
// Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kem {

// The longest prefix of `text` of at most `limit` bytes that does not split a
// character. The only function that cuts text.
inline std::string_view CutUtf8(std::string_view text, size_t limit) {
  if (text.size() <= limit) return text;
  size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

struct Utf8Char {
  static constexpr char32_t kInvalid = UINT32_MAX;
  char32_t code = kInvalid;
  size_t size = 1;  // in bytes
};

// The first character of `text`, which must not be empty. One byte of kInvalid
// for malformed UTF-8, overlong forms, surrogates and above U+10FFFF.
inline Utf8Char FirstUtf8(std::string_view text) {
  const auto byte = [&](size_t i) {
    return static_cast<unsigned char>(i < text.size() ? text[i] : '\0');
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4) return {};
  char32_t code = lead & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[size] || code > 0x10FFFF) return {};
  if (code >= 0xD800 && code <= 0xDFFF) return {};
  return {code, size};
}

// Appends the character, which must be a code point and no surrogate.
inline void AppendUtf8(char32_t code, std::string& out) {
  const auto add = [&out](char32_t byte) {
    out += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6U);
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12U);
    add(0x80 | (code >> 6U & 0x3FU));
  } else {
    add(0xF0 | code >> 18U);
    add(0x80 | (code >> 12U & 0x3FU));
    add(0x80 | (code >> 6U & 0x3FU));
  }
  add(0x80 | (code & 0x3FU));
}

// `text` if it is valid UTF-8; else a copy in `buffer`, where U+FFFD replaces
// each byte that is not. The result is valid as long as both.
std::string_view ValidUtf8(std::string_view text, std::string& buffer);

}  // namespace kem

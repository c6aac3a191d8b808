// ASCII text of protocols and configuration, independent of the locale:
// character classes, trimming, numbers. For text that people write, see
// base/utf8.h. Pure functions, thread-safe.
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace kem {

inline bool IsAsciiControl(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '\x7f';
}

// Letters, digits and punctuation; no blank.
inline bool IsVisibleAscii(char c) { return c > ' ' && c < '\x7f'; }

inline bool IsVisibleAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return IsVisibleAscii(c); });
}

inline bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }

inline bool IsAsciiAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsAsciiDigit(c);
}

// Of a word in UTF-8: a character beyond ASCII may be a letter.
inline bool IsWordByte(char c) {
  return IsAsciiAlphanumeric(c) || static_cast<unsigned char>(c) >= 0x80;
}

inline std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// `text` in double quotes, for an error. Escapes nothing: those who show the
// error do (base/safe_text.h).
inline std::string Quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

// `text` without any of `blanks` at its two ends.
inline std::string_view Trim(std::string_view text, std::string_view blanks) {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// Removes the front of `text` up to and with the first `separator`, or all of
// it. Returns the front, without the separator.
inline std::string_view TakeUntil(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view front = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return front;
}

// The number that the whole text represents; empty for anything else, also a
// number that does not fit.
template <std::integral T>
std::optional<T> ParseNumber(std::string_view text, int base = 10) {
  T number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number, base);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

}  // namespace kem

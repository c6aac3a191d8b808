// Character classes of ASCII that do not depend on the locale. Used to check
// and normalize text of protocols and configuration. For text that people
// write, see base/utf8.h.
#pragma once

#include <algorithm>
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

inline bool IsAsciiAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

inline std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// `text` without any of `blanks` at its two ends.
inline std::string_view Trim(std::string_view text, std::string_view blanks) {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace kem

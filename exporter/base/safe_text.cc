#include "base/safe_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/ascii.h"
#include "base/utf8.h"

namespace kem {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode's controls, format characters and separators of lines, without the
// joiners and the format characters that have a shape, such as Arabic number
// signs. Above U+FFF0 also all that Unicode ignores by default in display.
constexpr Range kHidden[] = {
    {0, 0x1F},          {0x7F, 0x9F},       {0xAD, 0xAD},
    {0x61C, 0x61C},     {0x180E, 0x180E},   {0x200B, 0x200B},
    {0x200E, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
    {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB},   {0x13430, 0x1343F},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

void AppendUnit(char32_t unit, std::string& out) {
  std::array<char, 8> text;
  std::snprintf(text.data(), text.size(), "\\u%04x",
                static_cast<unsigned>(unit));
  out += text.data();
}

// RFC 8259, section 7: a surrogate pair above U+FFFF.
void AppendJsonEscape(char32_t code, std::string& out) {
  if (code > 0xFFFF) {
    AppendUnit(0xD800 + ((code - 0x10000) >> 10U), out);
    code = 0xDC00 + (code & 0x3FFU);
  }
  AppendUnit(code, out);
}

}  // namespace

bool IsHidden(char32_t code) {
  return std::any_of(std::begin(kHidden), std::end(kHidden),
                     [code](const Range& range) {
                       return code >= range.first && code <= range.last;
                     });
}

std::string CodePointName(char32_t code) {
  std::array<char, 16> name;
  std::snprintf(name.data(), name.size(), "[U+%04X]",
                static_cast<unsigned>(code));
  return name.data();
}

std::string OneLine(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const Utf8Char c = FirstUtf8(text);
    if (IsAsciiControl(text.front())) {
      line += ' ';
    } else if (c.code == Utf8Char::kInvalid) {
      line += "\xEF\xBF\xBD";
    } else if (IsHidden(c.code)) {
      line += CodePointName(c.code);
    } else {
      line += text.substr(0, c.size);
    }
    text.remove_prefix(c.size);
  }
  return line;
}

std::string EscapeHiddenInJson(std::string json) {
  const auto ordinary = [](char c) {
    return static_cast<unsigned char>(c) < 0x7F;
  };
  if (std::all_of(json.begin(), json.end(), ordinary)) return json;
  std::string escaped;
  escaped.reserve(json.size() + 16);
  for (std::string_view rest = json; !rest.empty();) {
    const Utf8Char c = FirstUtf8(rest);
    // Below U+007F there is only the white space between tokens.
    if (c.code >= 0x7F && c.code != Utf8Char::kInvalid && IsHidden(c.code)) {
      AppendJsonEscape(c.code, escaped);
    } else {
      escaped += rest.substr(0, c.size);
    }
    rest.remove_prefix(c.size);
  }
  return escaped;
}

}  // namespace kem

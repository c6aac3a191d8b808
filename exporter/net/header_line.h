// A line of an HTTP head, "name: value" (RFC 9112, section 5). Used for
// requests, responses and the header files of sinks. Does not read folded
// lines, which are obsolete, nor judge values.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/ascii.h"

namespace kem {

// Views into the line.
struct HeaderLine {
  std::string_view name;   // in any case
  std::string_view value;  // without the blanks around it
};

// Whether the text is a method or a header's name (RFC 9110, section 5.6.2).
inline bool IsHttpToken(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return IsAsciiAlphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

// Takes a line without its end apart. Empty when it has no name that is a
// token: a blank before the colon hides a field from some readers. Thread-safe.
inline std::optional<HeaderLine> SplitHeaderLine(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsHttpToken(line.substr(0, colon))) {
    return std::nullopt;
  }
  return HeaderLine{line.substr(0, colon), Trim(line.substr(colon + 1), " \t")};
}

}  // namespace kem

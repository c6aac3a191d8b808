// Untrusted text (arguments, file content, messages of servers) as part of one
// sentence. Used for errors and what main prints before it exits; log lines
// have their own escaping.
#pragma once

#include <string>
#include <string_view>

#include "base/ascii.h"

namespace kem {

// `text` with a space for each control character, so that it can neither break
// the line nor control the terminal.
inline std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (IsAsciiControl(c)) c = ' ';
  }
  return line;
}

}  // namespace kem

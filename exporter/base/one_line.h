// Text from outside (arguments, names in files) as part of one sentence on a
// terminal. Used by main for what it prints before it exits; log lines have
// their own escaping.
#pragma once

#include <string>
#include <string_view>

namespace kem {

// `text` with a space for each line break and other control character, so that
// a file's content can neither break the sentence nor drive the terminal.
inline std::string OneLine(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return line;
}

}  // namespace kem

#include "events/long_strings.h"

#include <algorithm>

#include "base/utf8.h"

namespace kem {
namespace {

// The closing quote of the string whose content starts at `at`, or npos.
size_t StringEnd(std::string_view text, size_t at) {
  while (true) {
    at = text.find_first_of("\"\\", at);
    if (at == std::string_view::npos || text[at] == '"') return at;
    at += 2;
  }
}

bool IsHighSurrogate(std::string_view escape) {
  return escape.size() == 6 && (escape[2] == 'd' || escape[2] == 'D') &&
         std::string_view("89abAB").find(escape[3]) != std::string_view::npos;
}

// The longest length up to `max` at which a string's content can be cut.
size_t CutAt(std::string_view inside, size_t max) {
  size_t at = 0;
  while (at < inside.size()) {
    size_t next = at;
    if (inside[at] != '\\') {
      next = std::min(inside.find('\\', at), inside.size());
      if (next > max) return at + CutUtf8(inside.substr(at), max - at).size();
    } else {
      const bool unicode = inside.substr(at, 2) == "\\u";
      next += unicode ? 6 : 2;
      if (unicode && IsHighSurrogate(inside.substr(at, 6))) next += 6;
    }
    if (next > max) return at;
    at = next;
  }
  return inside.size();
}

}  // namespace

size_t CutLongStrings(std::string_view json, size_t max_string,
                      size_t max_bytes, std::string& out) {
  int depth = 0;
  size_t at = 0;
  while (out.size() <= max_bytes) {
    const size_t mark = json.find_first_of("\"{}[]", at);
    if (mark == std::string_view::npos) return 0;
    out.append(json.substr(at, std::min(mark + 1 - at, max_bytes + 1)));
    at = mark + 1;
    switch (json[mark]) {
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth <= 0) return out.size() <= max_bytes ? at : 0;
        break;
      default: {
        const size_t end = StringEnd(json, at);
        if (end == std::string_view::npos) return 0;
        const std::string_view inside = json.substr(at, end - at);
        out.append(inside.substr(0, CutAt(inside, max_string)));
        out += '"';
        at = end + 1;
      }
    }
  }
  return 0;
}

}  // namespace kem

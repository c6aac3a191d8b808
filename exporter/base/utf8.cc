#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace kem {
namespace {

// How many characters of ASCII `text` begins with, or some fewer.
size_t AsciiPrefix(std::string_view text) {
  size_t size = 0;
  uint64_t bytes = 0;
  for (; size + sizeof(bytes) <= text.size(); size += sizeof(bytes)) {
    std::memcpy(&bytes, text.data() + size, sizeof(bytes));
    if ((bytes & 0x8080808080808080) != 0) break;
  }
  return size;
}

// The length of the valid prefix.
size_t ValidPrefix(std::string_view text) {
  size_t size = AsciiPrefix(text);
  while (size < text.size()) {
    const Utf8Char next = FirstUtf8(text.substr(size));
    if (next.code == Utf8Char::kInvalid) break;
    size += next.size;
  }
  return size;
}

}  // namespace

std::string_view ValidUtf8(std::string_view text, std::string& buffer) {
  size_t valid = ValidPrefix(text);
  if (valid == text.size()) return text;
  constexpr char32_t kReplacement = 0xFFFD;
  buffer.clear();
  while (valid < text.size()) {
    buffer += text.substr(0, valid);
    AppendUtf8(kReplacement, buffer);
    text.remove_prefix(valid + 1);
    valid = ValidPrefix(text);
  }
  buffer += text;
  return buffer;
}

}  // namespace kem

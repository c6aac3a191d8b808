// OfflineReader survives any input and returns the same for any pieces, and in
// UTF-16. It returns a single JSON object unchanged.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "fuzz/fuzzing.h"
#include "offline/offline_reader.h"

namespace {

using nlohmann::json;

struct Output {
  std::vector<std::string> objects;
  std::string problem;
  size_t empty_lists = 0;
  bool operator==(const Output&) const = default;
};

Output Read(std::string_view text, size_t piece) {
  Output output;
  kem::OfflineReader reader([&output](
                                const kem::OfflineReader::Object& object) {
    kem::Touch({object.json.data(), object.json.size() + kem::kJsonPadding});
    kem::Require(object.json.starts_with('{') && object.json.ends_with('}'),
                 "an object has braces");
    output.objects.emplace_back(object.json);
    output.objects.back() += object.frame ? 'F' : object.listed ? 'L' : 'B';
    output.objects.back() += object.reference ? '*' : '-';
    output.objects.back() += object.kind;
  });
  for (size_t at = 0; at < text.size(); at += piece) {
    const auto read = reader.Append(text.substr(at, piece));
    if (!read) {
      output.problem = read.error().message;
      return output;
    }
  }
  const auto finished = reader.Finish();
  if (!finished) output.problem = finished.error().message;
  output.empty_lists = reader.empty_lists();
  return output;
}

// With a byte order mark; empty for what is not UTF-8.
std::string ToUtf16(std::string_view text) {
  std::string wide;
  const auto add = [&wide](char32_t unit) {
    wide += static_cast<char>(static_cast<unsigned char>(unit));
    wide += static_cast<char>(static_cast<unsigned char>(unit >> 8U));
  };
  add(0xFEFF);
  while (!text.empty()) {
    const kem::Utf8Char c = kem::FirstUtf8(text);
    if (c.code == kem::Utf8Char::kInvalid) return "";
    if (c.code > 0xFFFF) {
      add(0xD800 + ((c.code - 0x10000) >> 10U));
      add(0xDC00 + (c.code & 0x3FFU));
    } else {
      add(c.code);
    }
    text.remove_prefix(c.size);
  }
  return wide;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte is the length of the pieces.
  const size_t piece = size_t{data[0]} + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  const Output whole = Read(text, text.size() + 1);
  kem::Require(Read(text, piece) == whole, "pieces make no difference");
  // The mark is read once, and a NUL may make UTF-16 of it.
  const std::string wide = ToUtf16(text);
  if (!wide.empty() && !text.starts_with("\xEF\xBB\xBF") &&
      text.substr(0, 2).find('\0') == std::string_view::npos) {
    kem::Require(Read(wide, piece) == whole, "UTF-16 makes no difference");
  }
  // An object that cannot be a List is always valid. For nlohmann a NUL ends
  // the text.
  if (text.find("items") != std::string_view::npos ||
      text.find('\0') != std::string_view::npos) {
    return 0;
  }
  if (!json::parse(text, nullptr, false).is_object()) return 0;
  kem::Require(whole.problem.empty(), "a JSON object is read");
  kem::Require(whole.objects.size() == 1, "an object is returned once");
  return 0;
}

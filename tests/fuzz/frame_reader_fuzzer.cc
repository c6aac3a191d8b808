// FrameReader returns the same complete objects for a stream in any pieces, up
// to the first bytes that are not a JSON object. After that it must only be
// safe.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzzing.h"
#include "reflector/frame_reader.h"

namespace kem {
namespace {

// Replaces an object that is longer than the limit.
constexpr std::string_view kOversize = "oversize";

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// The end of the object that starts at `at`, by counting braces; 0 when it has
// none or is not JSON.
size_t ObjectEnd(std::string_view text, size_t at) {
  if (text[at] != '{') return 0;
  size_t depth = 0;
  bool quoted = false;
  for (size_t i = at; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      const std::string_view object = text.substr(at, i + 1 - at);
      return nlohmann::json::accept(object) ? i + 1 : 0;
    }
  }
  return 0;
}

// FrameReader treats a line between braces as a frame, as API servers write it.
// That splits an object that continues after such a line.
bool LooksWholeAtItsFirstNewline(std::string_view object) {
  const size_t newline = object.find('\n');
  if (newline == std::string_view::npos) return false;
  const size_t last = object.find_last_not_of(" \r\n\t", newline);
  return object[last] == '}';
}

// The objects that `text` begins with, found without FrameReader.
std::vector<std::string_view> Expected(std::string_view text,
                                       size_t max_frame) {
  std::vector<std::string_view> objects;
  for (size_t at = 0; at < text.size();) {
    if (IsSpace(text[at])) {
      ++at;
      continue;
    }
    const size_t end = ObjectEnd(text, at);
    if (end == 0) break;
    const std::string_view object = text.substr(at, end - at);
    if (LooksWholeAtItsFirstNewline(object)) break;
    objects.push_back(object.size() > max_frame ? kOversize : object);
    at = end;
  }
  return objects;
}

// The objects that FrameReader returns for pieces, up to the first fault.
std::vector<std::string> Read(std::string_view text, size_t max_frame,
                              const std::function<size_t()>& next_piece) {
  FrameReader reader(max_frame);
  std::vector<std::string> objects;
  bool whole = true;
  for (size_t at = 0; at < text.size();) {
    const std::string_view piece = text.substr(at, next_piece());
    reader.Append(piece);
    at += piece.size();
    size_t calls = 0;
    while (const auto frame = reader.Next()) {
      Require(++calls <= text.size(), "Next ends");
      if (frame->kind == Frame::Kind::kMalformed) whole = false;
      if (frame->kind == Frame::Kind::kOversize && whole) {
        objects.emplace_back(kOversize);
      }
      if (frame->kind != Frame::Kind::kWhole) continue;
      Require(frame->bytes.size() <= max_frame, "frames keep to the limit");
      Require(frame->bytes.starts_with('{') && frame->bytes.ends_with('}'),
              "frames have braces around them");
      Touch({frame->bytes.data(), frame->bytes.size() + kJsonPadding});
      // A frame can have several objects, which the decoder separates.
      for (size_t i = 0; whole && i < frame->bytes.size();) {
        if (IsSpace(frame->bytes[i])) {
          ++i;
          continue;
        }
        const size_t end = ObjectEnd(frame->bytes, i);
        whole = end != 0;
        if (whole) objects.emplace_back(frame->bytes.substr(i, end - i));
        i = end;
      }
    }
  }
  Require(reader.Finish() <= text.size(), "no more is left than was appended");
  return objects;
}

void CheckAllSplits(std::string_view text, size_t max_frame) {
  const std::vector<std::string_view> expected = Expected(text, max_frame);
  std::minstd_rand random(
      static_cast<unsigned>(std::hash<std::string_view>()(text)));
  const std::vector<std::function<size_t()>> splits = {
      [&] { return text.size(); },
      [] { return size_t{1}; },
      [&] { return size_t{1} + random() % 7; },
      [&] { return size_t{1} + random() % 300; },
  };
  for (const auto& split : splits) {
    const std::vector<std::string> found = Read(text, max_frame, split);
    Require(found.size() >= expected.size() &&
                std::equal(expected.begin(), expected.end(), found.begin()),
            "every split gives the same objects");
  }
}

}  // namespace
}  // namespace kem

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // The newline completes the last frame.
  const std::string text =
      std::string(reinterpret_cast<const char*>(data), size) + "\n";
  kem::CheckAllSplits(text, kem::FrameReader::kMaxFrame);
  kem::CheckAllSplits(text, 64);
  return 0;
}

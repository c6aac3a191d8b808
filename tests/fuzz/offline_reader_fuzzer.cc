// OfflineReader survives any input and returns the same for any pieces. It
// returns a single JSON object unchanged.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/fuzzing.h"
#include "offline/offline_reader.h"

namespace {

using nlohmann::json;

struct Output {
  std::vector<std::string> objects;
  std::string problem;
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
  return output;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte is the length of the pieces.
  const size_t piece = size_t{data[0]} + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  if (text.starts_with("\xEF")) return 0;
  const Output whole = Read(text, text.size() + 1);
  kem::Require(Read(text, piece) == whole, "pieces make no difference");
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

// OfflineReader survives any input and says the same wherever its pieces end.
// One whole JSON object comes out as it is.
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

struct Heard {
  std::vector<std::string> objects;
  std::string problem;
  bool operator==(const Heard&) const = default;
};

Heard Read(std::string_view text, size_t piece) {
  Heard heard;
  kem::OfflineReader reader([&heard](const kem::OfflineReader::Object& object) {
    kem::Touch({object.json.data(), object.json.size() + kem::kJsonPadding});
    kem::Require(object.json.starts_with('{') && object.json.ends_with('}'),
                 "an object has braces");
    heard.objects.emplace_back(object.json);
    heard.objects.back() += object.frame ? 'F' : object.listed ? 'L' : 'B';
    heard.objects.back() += object.kind;
  });
  for (size_t at = 0; at < text.size(); at += piece) {
    const auto read = reader.Append(text.substr(at, piece));
    if (!read) {
      heard.problem = read.error().message;
      return heard;
    }
  }
  const auto finished = reader.Finish();
  if (!finished) heard.problem = finished.error().message;
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte says how long the pieces are.
  const size_t piece = size_t{data[0]} + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1,
                              size - 1);
  if (text.starts_with("\xEF")) return 0;
  const Heard whole = Read(text, text.size() + 1);
  kem::Require(Read(text, piece) == whole, "pieces do not matter");
  // An object that cannot be a List is read whatever it says. To nlohmann a
  // NUL is the text's end.
  if (text.find("items") != std::string_view::npos ||
      text.find('\0') != std::string_view::npos) {
    return 0;
  }
  if (!json::parse(text, nullptr, false).is_object()) return 0;
  kem::Require(whole.problem.empty(), "a JSON object is read");
  kem::Require(whole.objects.size() == 1, "and comes out once");
  return 0;
}

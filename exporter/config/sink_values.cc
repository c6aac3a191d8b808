#include "config/sink_values.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "config/filter_values.h"
#include "sinks/record_fields.h"

namespace kem {
namespace {

// A dotted name such as example.com.
bool IsDomain(std::string_view text) {
  constexpr size_t kMost = 253;
  if (text.size() > kMost) return false;
  for (size_t dot = 0; dot != std::string_view::npos;) {
    dot = text.find('.');
    if (!IsNamespaceName(text.substr(0, dot))) return false;
    if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
  }
  return true;
}

bool IsLabelName(std::string_view text) {
  constexpr size_t kMost = 63;
  return !text.empty() && text.size() <= kMost &&
         IsAsciiAlphanumeric(text.front()) &&
         IsAsciiAlphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return IsAsciiAlphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

// k8s.io/apimachinery/pkg/util/validation, IsQualifiedName.
bool IsLabelKey(std::string_view key) {
  const size_t slash = std::min(key.find('/'), key.size());
  return IsDomain(key.substr(0, slash)) &&
         IsLabelName(key.substr(std::min(slash + 1, key.size())));
}

// The limits keep constant attributes a small part of a record.
std::string ProblemWithAttributes(const Attributes& value) {
  constexpr size_t kMost = 32;
  constexpr size_t kMaxName = 128;
  constexpr size_t kMaxText = 256;
  if (value.size() > kMost) {
    return "must have at most " + std::to_string(kMost) + " names";
  }
  for (const auto& [name, text] : value) {
    if (name.empty() || name.size() > kMaxName || IsAsciiDigit(name.front()) ||
        !std::all_of(name.begin(), name.end(), [](char c) {
          return IsAsciiAlphanumeric(c) || c == '.' || c == '_' || c == '-' ||
                 c == '/';
        })) {
      return "has the name " + Quoted(name) +
             ", which must be letters, digits, '.', '_', '-' and '/', and not "
             "begin with a digit";
    }
    if (IsReservedAttribute(name)) {
      return "must not set " + name + ", which the exporter sets";
    }
    if (text.empty() || text.size() > kMaxText ||
        std::any_of(text.begin(), text.end(), IsAsciiControl)) {
      return "must give " + name + " a value of 1 to " +
             std::to_string(kMaxText) + " bytes without control characters";
    }
  }
  return "";
}

std::optional<uint64_t> ParseSize(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, int>, 4> kUnits = {
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  int shift = 0;
  for (const auto& [unit, bits] : kUnits) {
    if (!text.ends_with(unit)) continue;
    text.remove_suffix(unit.size());
    shift = bits;
    break;
  }
  const auto number = ParseNumber<uint64_t>(text);
  if (!number || *number > UINT64_MAX >> shift) return std::nullopt;
  return *number << shift;
}

}  // namespace kem

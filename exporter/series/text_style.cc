#include "series/text_style.h"

#include <array>
#include <charconv>

namespace kem {
namespace {

constexpr std::string_view kTotal = "_total";

// OpenMetrics escapes quotes in HELP, the text format does not.
void AppendHelp(std::string_view help, const TextStyle& style,
                std::string& out) {
  for (const char c : help) {
    if (c == '"' && style.open_metrics) out += '\\';
    out += c;
  }
}

}  // namespace

std::string_view BaseName(const FamilyInfo& info) {
  return info.name.ends_with(kTotal)
             ? info.name.substr(0, info.name.size() - kTotal.size())
             : info.name;
}

void AppendHead(const FamilyInfo& info, const TextStyle& style,
                std::string& out) {
  const std::string_view name = style.open_metrics ? BaseName(info) : info.name;
  out.append("# HELP ").append(name).append(" ");
  AppendHelp(info.help, style, out);
  out.append("\n# TYPE ").append(name).append(" ").append(info.type);
  out += '\n';
  if (!style.open_metrics) return;
  for (const std::string_view unit : {"seconds", "bytes"}) {
    if (!name.ends_with(unit)) continue;
    out.append("# UNIT ").append(name).append(" ").append(unit);
    out += '\n';
  }
}

void AppendInteger(uint64_t value, std::string& out) {
  std::array<char, 24> digits;
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void AppendTimestamp(WallTime time, std::string& out) {
  int64_t micros = time.time_since_epoch().count();
  if (micros < 0) {
    out += '-';
    micros = -micros;
  }
  AppendInteger(static_cast<uint64_t>(micros / 1000000), out);
  int64_t fraction = micros % 1000000;
  if (fraction == 0) return;
  std::array<char, 7> digits = {'.'};
  for (size_t i = 6; i > 0; --i, fraction /= 10) {
    digits[i] = static_cast<char>('0' + fraction % 10);
  }
  size_t size = digits.size();
  while (digits[size - 1] == '0') --size;
  out.append(digits.data(), size);
}

}  // namespace kem

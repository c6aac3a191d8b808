#include "metrics/exposition.h"

#include <algorithm>

namespace kem {
namespace {

// Removes what comes before the next `separator` from `text` and returns it
// without the blanks around it.
std::string_view Take(std::string_view& text, char separator) {
  const size_t at = std::min(text.find(separator), text.size());
  std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  constexpr std::string_view kBlank = " \t";
  part.remove_prefix(std::min(part.find_first_not_of(kBlank), part.size()));
  return part.substr(0, part.find_last_not_of(kBlank) + 1);
}

// "0.75" in thousandths; -1 for malformed qualities (RFC 9110, 12.4.2).
int Quality(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
      (text.size() > 1 && text[1] != '.')) {
    return -1;
  }
  int quality = text[0] == '1' ? 1000 : 0;
  int weight = 100;
  for (const char digit : text.substr(std::min<size_t>(2, text.size()))) {
    if (digit < '0' || digit > '9') return -1;
    quality += (digit - '0') * weight;
    weight /= 10;
  }
  return quality <= 1000 ? quality : -1;
}

// One element of the header.
struct MediaRange {
  bool open_metrics = false;
  bool text = false;
  int quality = 1000;
};

MediaRange ParseMediaRange(std::string_view element) {
  const std::string_view type = Take(element, ';');
  std::string_view version;
  MediaRange range;
  while (!element.empty()) {
    std::string_view value = Take(element, ';');
    const std::string_view name = Take(value, '=');
    if (name == "q") range.quality = Quality(value);
    if (name == "version") version = value;
  }
  range.open_metrics = type == "application/openmetrics-text" &&
                       (version.empty() || version == "1.0.0");
  range.text = type == "text/plain" && (version.empty() || version == "0.0.4");
  return range;
}

}  // namespace

bool PrefersOpenMetrics(std::string_view accept) {
  int open_metrics = 0;
  int text = 0;
  bool first = false;  // OpenMetrics comes before a text of the same quality
  while (!accept.empty()) {
    const MediaRange range = ParseMediaRange(Take(accept, ','));
    if (range.open_metrics && range.quality > open_metrics) {
      open_metrics = range.quality;
      first = text < open_metrics;
    }
    if (range.text) text = std::max(text, range.quality);
  }
  return open_metrics > text || (open_metrics == text && first);
}

std::string ContentType(bool open_metrics) {
  return open_metrics
             ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
             : "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace kem

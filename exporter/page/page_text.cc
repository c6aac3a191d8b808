#include "page/page_text.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "base/safe_text.h"
#include "base/utf8.h"
#include "events/cluster_kinds.h"

namespace kem {
namespace {

void AppendCharacter(const Utf8Char& c, std::string_view bytes,
                     std::string& out) {
  if (c.code == Utf8Char::kInvalid) {
    out += "\xEF\xBF\xBD";
  } else if (c.code == '&') {
    out += "&amp;";
  } else if (c.code == '<') {
    out += "&lt;";
  } else if (c.code == '>') {
    out += "&gt;";
  } else if (c.code == '"') {
    out += "&quot;";
  } else if (c.code == '\'') {
    out += "&#39;";
  } else if (IsHidden(c.code)) {
    out += CodePointName(c.code);
  } else {
    out += bytes;
  }
}

std::string Escape(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  while (!text.empty()) {
    if (lines && text.starts_with("\r\n")) text.remove_prefix(1);
    const Utf8Char c = FirstUtf8(text);
    if (lines && (c.code == '\n' || c.code == '\t')) {
      out += text.front();
    } else {
      AppendCharacter(c, text.substr(0, c.size), out);
    }
    text.remove_prefix(c.size);
  }
  return out;
}

// Visible ASCII only and short, as every name that Kubernetes accepts.
bool Plain(std::string_view text) {
  return !text.empty() && text.size() <= 512 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c > ' ' && c < '\x7F'; });
}

// k8s.io/apimachinery's fields.EscapeValue.
std::string SelectorValue(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

// One word for a POSIX shell.
std::string ShellWord(std::string_view word) {
  constexpr std::string_view kHarmless =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:/=,-";
  if (word.find_first_not_of(kHarmless) == std::string_view::npos) {
    return std::string(word);
  }
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

}  // namespace

std::string EscapeHtml(std::string_view text) { return Escape(text, false); }
std::string EscapeLines(std::string_view text) { return Escape(text, true); }

std::string AgeText(std::chrono::seconds age) {
  const int64_t seconds = std::max<int64_t>(age.count(), 0);
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  constexpr int64_t kYear = 365;
  // "5m12s", or "5m" when `small` is 0.
  const auto text = [](int64_t big, const char* unit, int64_t small,
                       const char* small_unit) {
    std::string out = std::to_string(big) + unit;
    if (small > 0) out += std::to_string(small) + small_unit;
    return out;
  };
  if (seconds < 120) return text(seconds, "s", 0, "");
  if (minutes < 10) return text(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return text(minutes, "m", 0, "");
  if (hours < 8) return text(hours, "h", minutes % 60, "m");
  if (hours < 48) return text(hours, "h", 0, "");
  if (days < 8) return text(days, "d", hours % 24, "h");
  if (days < 2 * kYear) return text(days, "d", 0, "");
  if (days < 8 * kYear) return text(days / kYear, "y", days % kYear, "d");
  return text(days / kYear, "y", 0, "");
}

std::string NumberText(uint64_t number) {
  std::string out = std::to_string(number);
  for (size_t at = out.size(); at > 3;) {
    at -= 3;
    out.insert(at, 1, ',');
  }
  return out;
}

std::string Plural(uint64_t number, const char* one, const char* many) {
  return NumberText(number) + " " + (number == 1 ? one : many);
}

std::string TimeText(WallTime time) {
  std::string text = FormatRfc3339Seconds(time);
  text.pop_back();
  text[text.find('T')] = ' ';
  return text;
}

std::string KubectlCommand(const FoundEvent& event) {
  if (!Plain(event.event_namespace) || !Plain(event.name)) return "";
  const std::string selector =
      Plain(event.kind) && Plain(event.object_name)
          ? "involvedObject.kind=" + SelectorValue(event.kind) +
                ",involvedObject.name=" + SelectorValue(event.object_name)
          : "metadata.name=" + SelectorValue(event.name);
  return "kubectl get events -n " + ShellWord(event.event_namespace) +
         " --field-selector " + ShellWord(selector);
}

std::string DescribeCommand(const FoundEvent& event) {
  const std::string_view group = ApiGroup(event.api_version);
  const auto named = [](std::string_view text) {
    return Plain(text) && !text.starts_with('-');  // not an option
  };
  if (!named(event.kind) || !named(event.object_name)) return "";
  std::string type = event.kind;
  if (!group.empty()) {
    if (!Plain(group)) return "";
    type.append(".").append(group);
  }
  std::string command = "kubectl describe " + ShellWord(type);
  if (!event.cluster_scoped && !event.object_namespace.empty()) {
    if (!Plain(event.object_namespace)) return "";
    command += " -n " + ShellWord(event.object_namespace);
  }
  return command + " " + ShellWord(event.object_name);
}

}  // namespace kem

#include "sinks/mark.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

namespace kem {
namespace {

using nlohmann::ordered_json;
using std::chrono::microseconds;

constexpr size_t kMaxMessage = 256;
constexpr size_t kMaxReason = 128;  // events.k8s.io/v1's own limit
constexpr size_t kMaxLabel = 63;

std::string Dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9');
}

}  // namespace

std::string MarkAnnotation(const Occurrence& occurrence) {
  return Dump({{"reason", CutUtf8(occurrence.reason, kMaxReason)},
               {"time", FormatRfc3339Millis(occurrence.occurred_at)},
               {"count", occurrence.count},
               {"message", CutUtf8(occurrence.message, kMaxMessage)}});
}

std::string MarkLabel(std::string_view reason) {
  std::string label(reason.substr(0, kMaxLabel));
  for (char& c : label) {
    if (!IsLetterOrDigit(c) && c != '-' && c != '_' && c != '.') c = '-';
  }
  const auto first = std::find_if(label.begin(), label.end(), IsLetterOrDigit);
  label.erase(label.begin(), first);
  while (!label.empty() && !IsLetterOrDigit(label.back())) label.pop_back();
  return label.empty() ? "unknown" : label;
}

std::string MarkBody(const Mark& mark, const std::string& key) {
  ordered_json metadata = {{"name", mark.name}};
  if (!mark.uid.empty()) metadata["uid"] = mark.uid;
  metadata["annotations"] = {{key, mark.annotation}};
  if (!mark.label.empty()) metadata["labels"] = {{key, mark.label}};
  return Dump({{"apiVersion", mark.api_version},
               {"kind", mark.kind},
               {"metadata", std::move(metadata)}});
}

std::string SaveMark(const Mark& mark) {
  std::string text;
  ByteWriter to(text);
  to.Integer<int64_t>(mark.until.time_since_epoch().count());
  to.Integer<int64_t>(mark.occurred_at.time_since_epoch().count());
  to.Integer<uint64_t>(mark.resource_version);
  for (const std::string* part : {&mark.api_version, &mark.kind, &mark.name,
                                  &mark.uid, &mark.annotation, &mark.label}) {
    to.Text(*part);
  }
  return text;
}

std::optional<Mark> LoadMark(std::string_view text) {
  ByteReader from(text);
  Mark mark;
  mark.until = WallTime(microseconds(from.Time(0)));
  mark.occurred_at = WallTime(microseconds(from.Time(0)));
  mark.resource_version = from.Integer<uint64_t>();
  for (std::string* part : {&mark.api_version, &mark.kind, &mark.name,
                            &mark.uid, &mark.annotation, &mark.label}) {
    *part = from.Text();
  }
  if (!from.Done()) return std::nullopt;
  return mark;
}

bool IsUuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(),
                    [](char c, char form) {
                      if (form == '-') return c == '-';
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                             (c >= 'A' && c <= 'F');
                    });
}

}  // namespace kem

#include "sinks/annotation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/utf8.h"

namespace kem {
namespace {

using nlohmann::ordered_json;

constexpr size_t kMaxMessage = 256;
constexpr size_t kMaxReason = 128;  // the limit of events.k8s.io/v1
constexpr size_t kMaxLabel = 63;

}  // namespace

std::string AnnotationText(const Occurrence& occurrence) {
  return JsonText(
      ordered_json{{"reason", CutUtf8(occurrence.reason, kMaxReason)},
                   {"time", FormatRfc3339Millis(occurrence.occurred_at)},
                   {"count", occurrence.count},
                   {"message", CutUtf8(occurrence.message, kMaxMessage)}});
}

std::string LabelValue(std::string_view reason) {
  std::string label(reason.substr(0, kMaxLabel));
  for (char& c : label) {
    if (!IsAsciiAlphanumeric(c) && c != '-' && c != '_' && c != '.') c = '-';
  }
  const auto first =
      std::find_if(label.begin(), label.end(), IsAsciiAlphanumeric);
  label.erase(label.begin(), first);
  while (!label.empty() && !IsAsciiAlphanumeric(label.back())) label.pop_back();
  return label.empty() ? "unknown" : label;
}

std::string ApplyBody(const Annotation& annotation, const std::string& key) {
  ordered_json metadata = {{"name", annotation.name}};
  if (!annotation.uid.empty()) metadata["uid"] = annotation.uid;
  metadata["annotations"] = {{key, annotation.text}};
  if (!annotation.label.empty()) metadata["labels"] = {{key, annotation.label}};
  return JsonText(ordered_json{{"apiVersion", annotation.api_version},
                               {"kind", annotation.kind},
                               {"metadata", std::move(metadata)}});
}

std::string SaveAnnotation(const Annotation& annotation) {
  std::string text;
  ByteWriter to(text);
  to.Integer<int64_t>(annotation.until.time_since_epoch().count());
  to.Integer<int64_t>(annotation.age.first.time_since_epoch().count());
  to.Integer<uint64_t>(annotation.age.second);
  for (const std::string* part :
       {&annotation.api_version, &annotation.kind, &annotation.name,
        &annotation.uid, &annotation.text, &annotation.label}) {
    to.Text(*part);
  }
  return text;
}

std::optional<Annotation> LoadAnnotation(std::string_view text) {
  ByteReader from(text);
  Annotation annotation;
  annotation.until = from.Wall();
  annotation.age.first = from.Wall();
  annotation.age.second = from.Integer<uint64_t>();
  for (std::string* part :
       {&annotation.api_version, &annotation.kind, &annotation.name,
        &annotation.uid, &annotation.text, &annotation.label}) {
    *part = from.Text();
  }
  if (!from.Done()) return std::nullopt;
  return annotation;
}

bool IsUuid(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  return std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(),
                    [](char c, char form) {
                      if (form == '-') return c == '-';
                      return IsAsciiDigit(c) || (c >= 'a' && c <= 'f') ||
                             (c >= 'A' && c <= 'F');
                    });
}

}  // namespace kem

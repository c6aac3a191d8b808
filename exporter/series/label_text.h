// The labels of a series, and their two renderings: the text between the braces
// of an exposition line, and the compact key that identifies a label tuple.
// Both use the same cleaned values, so two keys never give one text. Used by
// the pipeline, which fills SeriesLabels, and by SeriesTable, which renders
// them.
#pragma once

#include <string>
#include <string_view>

#include "base/utf8.h"
#include "events/scope.h"
#include "series/families.h"

namespace kem {

// Values may be any valid UTF-8 (the decoder's are). They are cut to
// kMaxLabelBytes at the end of a character, and NUL, at which Prometheus stops
// reading, is replaced.
struct SeriesLabels {
  Scope scope = Scope::kNamespaced;
  std::string_view api_group;
  std::string_view kind;
  std::string_view object_namespace;  // namespaced objects only
  std::string_view object_name;       // cluster-scoped objects only
  std::string_view reason;
  std::string_view type;  // see TypeLabel
  std::string_view reporting_component;
};

// The label `type` of an Event: Normal, Warning or other. core/v1 accepts any
// text (k8s.io/kubernetes pkg/apis/core/validation/events.go checks new-style
// Events only).
inline std::string_view TypeLabel(std::string_view type) {
  return type == "Normal" || type == "Warning" ? type : "other";
}

inline constexpr size_t kMaxLabelBytes = 256;
inline std::string_view CutLabel(std::string_view value) {
  return CutUtf8(value, kMaxLabelBytes);
}

// The value of all labels of an overflow series but scope and type.
inline constexpr std::string_view kOverflowLabel = "_overflow";
SeriesLabels OverflowOf(const SeriesLabels& labels, Who who);
// Whether these are an overflow series' labels. An Event can have them too.
bool IsOverflow(const SeriesLabels& labels, Who who);

// All three replace the content of `out`.

// An exemplar's labels for an Event. Its name is cut so that names and values
// keep to the 128 characters that OpenMetrics allows.
void ExemplarText(std::string_view event_namespace, std::string_view event_name,
                  std::string& out);
void LabelKey(const SeriesLabels& labels, Who who, std::string& out);
// Returns the position in `out` of the label that only the last-seen family
// adds: object_name after a tuple's object_namespace, object_namespace before
// an object's object_name.
size_t LabelText(const SeriesLabels& labels, Who who, std::string& out);

}  // namespace kem

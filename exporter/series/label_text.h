// The labels of a series and their two renderings: the text that stands between
// the braces of an exposition line, and the compact key that tells tuples
// apart. Both see the same cleaned values, so two keys never give one text. The
// renderings are used by SeriesTable only.
#pragma once

#include <string>
#include <string_view>

#include "events/scope.h"
#include "series/families.h"

namespace kem {

// What a series is about. Values may be any bytes: they are cut to 256 bytes
// at a character's end, and NUL, which Prometheus cannot read, is replaced.
// They must be valid UTF-8 (the decoder's are).
struct SeriesLabels {
  Scope scope = Scope::kNamespaced;
  std::string_view api_group;
  std::string_view kind;
  std::string_view object_namespace;  // namespaced objects only
  std::string_view object_name;       // cluster-scoped objects only
  std::string_view reason;
  std::string_view type;  // Normal, Warning or other
  std::string_view reporting_component;
};

inline constexpr size_t kMaxLabelBytes = 256;

// `value` cut to so many bytes at the end of a character.
std::string_view CutLabel(std::string_view value,
                          size_t bytes = kMaxLabelBytes);

// What the labels of an overflow series say, but for scope and type.
inline constexpr std::string_view kOverflowLabel = "_overflow";
SeriesLabels OverflowOf(const SeriesLabels& labels, Who who);
// Whether `labels` are an overflow series': an Event may say so, too.
bool IsOverflow(const SeriesLabels& labels, Who who);

// The labels of an Event that is an exemplar. Its name is cut where they would
// be longer than the 128 characters, names included, that OpenMetrics allows.
// Replaces what `out` holds.
void ExemplarText(std::string_view event_namespace, std::string_view event_name,
                  std::string& out);

// Both replace what `out` holds. LabelText returns the place in `out` for the
// one label that the last-seen family has besides: object_name after a tuple's
// object_namespace, object_namespace before an object's object_name.
void LabelKey(const SeriesLabels& labels, Who who, std::string& out);
size_t LabelText(const SeriesLabels& labels, Who who, std::string& out);

}  // namespace kem

// The two renderings of a series' labels: the text that stands between the
// braces of an exposition line, and the compact key that tells tuples apart.
// Both see the same cleaned values, so two keys never give one text. Used by
// SeriesTable only.
#pragma once

#include <string>
#include <string_view>

#include "series/series_table.h"

namespace kem {

inline constexpr size_t kMaxLabelBytes = 256;

// `value` cut to kMaxLabelBytes at the end of a character.
std::string_view CutLabel(std::string_view value);

// Both replace what `out` holds. LabelText returns the place in `out` for the
// one label that the last-seen family has besides: object_name after a tuple's
// object_namespace, object_namespace before an object's object_name.
void LabelKey(const SeriesLabels& labels, Who who, std::string& out);
size_t LabelText(const SeriesLabels& labels, Who who, std::string& out);

}  // namespace kem

// What the sink type annotate writes on an object: the annotation and the label
// for its last Warning, the body of the server-side apply that sets them, and
// their encoding in the sink's memory. Used by AnnotateSink. Sends nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "occurrences/occurrence.h"

namespace kem {

struct Annotation {
  // Time and resourceVersion of the Event: the newer one wins.
  using Age = std::pair<WallTime, uint64_t>;

  // The object. The uid is empty when unknown.
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;

  std::string text;   // the annotation's value
  std::string label;  // the label's value; empty for no label
  WallTime until;     // when the label is removed
  Age age;
};

// {"reason":...,"time":...,"count":...,"message":...} in one line; the message
// is cut to 256 bytes.
std::string AnnotationText(const Occurrence& occurrence);

// The reason as a label's value: at most 63 letters, digits, '-', '_' and '.',
// with a letter or digit at both ends (k8s.io/apimachinery
// pkg/util/validation, IsValidLabelValue). "unknown" when nothing is left.
std::string LabelValue(std::string_view reason);

// JSON for server-side apply: the field manager then owns exactly these fields.
// `key` is the key of label and annotation.
std::string ApplyBody(const Annotation& annotation, const std::string& key);

// Encoding for SinkMemory; nothing for a damaged text.
std::string SaveAnnotation(const Annotation& annotation);
std::optional<Annotation> LoadAnnotation(std::string_view text);

// False for a node's name, which kubelets write as the uid of a Node.
bool IsUuid(std::string_view text);

}  // namespace kem

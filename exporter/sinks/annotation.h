// What a annotation says and how it is written: the label and the annotation
// that tell an object's last Warning, the body of a server-side apply that sets
// them, and the text by which a annotation is remembered over restarts. Used by
// AnnotateSink. Sends nothing.
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
  // Of the object. The uid is empty when it is not known.
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;

  std::string annotation;
  // Empty when the object has none, or no more.
  std::string label;
  // When the label is to go.
  WallTime until;

  // What is annotated: the newest by these two.
  WallTime occurred_at;
  uint64_t resource_version = 0;

  std::pair<WallTime, uint64_t> Age() const {
    return {occurred_at, resource_version};
  }
};

// {"reason":...,"time":...,"count":...,"message":...} in one line; the message
// is cut to 256 bytes.
std::string AnnotationText(const Occurrence& occurrence);

// The reason as a label's value: at most 63 letters, digits, '-', '_' and '.',
// with a letter or digit at both ends (k8s.io/apimachinery
// pkg/util/validation, IsValidLabelValue). "unknown" where nothing is left.
std::string LabelValue(std::string_view reason);

// JSON for server-side apply: all that our field manager owns from then on.
// `key` is the label's and the annotation's.
std::string ApplyBody(const Annotation& annotation, const std::string& key);

// One text and back; nothing for a text that is none.
std::string SaveAnnotation(const Annotation& annotation);
std::optional<Annotation> LoadAnnotation(std::string_view text);

// As API servers give them. Kubelets write the node's name in its place.
bool IsUuid(std::string_view text);

}  // namespace kem

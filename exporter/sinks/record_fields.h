// An occurrence as an OpenTelemetry log record: severity, body, and attributes
// by the semantic conventions for Kubernetes Events and the collector's
// k8s_events receiver, so that one store can hold both. Used by the sinks log
// and otlp, which encode it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <variant>

#include "occurrences/occurrence.h"

namespace kem {

struct LogSeverity {
  int number;  // of the logs data model: 9 INFO, 13 WARN
  std::string_view text;
};
LogSeverity SeverityOf(const Occurrence& occurrence);

// What a field describes: the object, which is the record's resource, or the
// Event.
enum class FieldOf { kObject, kEvent };

// Called for each field that has a value, always in the same order. Not in the
// conventions: event.id (stable for an occurrence), kube_event.scope,
// kube_event.delta and k8s.event.reporting_component.
using FieldValue = std::variant<std::string_view, int64_t>;
using FieldVisitor =
    std::function<void(FieldOf, std::string_view key, FieldValue value)>;
void ForEachField(const Occurrence& occurrence, const FieldVisitor& visit);

}  // namespace kem

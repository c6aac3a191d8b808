// An occurrence in the words of OpenTelemetry: severity, body, and attributes
// by the semantic conventions for Kubernetes Events and what the collector's
// k8s_events receiver adds to them, so that both can stand in one store. Used
// by the sinks that write records; says nothing of how they are written.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "occurrences/occurrence.h"

namespace kem {

struct LogSeverity {
  int number;  // of the logs data model: 9 INFO, 13 WARN
  std::string_view text;
};
LogSeverity SeverityOf(const Occurrence& occurrence);

// What a field says something about: the object is the record's resource.
enum class FieldOf { kObject, kEvent };

// Called for each field that has a value, always in the same order. Beside the
// conventions: event.id (the same for the same occurrence), kube_event.scope,
// kube_event.delta and k8s.event.reporting_component.
struct FieldVisitor {
  std::function<void(FieldOf, std::string_view key, std::string_view value)>
      text;
  std::function<void(FieldOf, std::string_view key, int64_t value)> number;
};
void ForEachField(const Occurrence& occurrence, const FieldVisitor& visit);

}  // namespace kem

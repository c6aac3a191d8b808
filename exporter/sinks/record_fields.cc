#include "sinks/record_fields.h"

#include "base/rfc3339.h"

namespace kem {

// As the collector's k8s_events receiver maps the two types.
LogSeverity SeverityOf(const Occurrence& occurrence) {
  if (occurrence.type == "Warning") return {13, "Warn"};
  return {9, "Info"};
}

void ForEachField(const Occurrence& occurrence, const FieldVisitor& visit) {
  using enum FieldOf;
  const auto text = [&](FieldOf of, std::string_view key,
                        std::string_view value) {
    if (!value.empty()) visit(of, key, value);
  };
  text(kEvent, "event.id", occurrence.Id());
  text(kEvent, "kube_event.scope",
       occurrence.scope == Scope::kCluster ? "cluster" : "namespaced");
  visit(kEvent, "kube_event.delta", occurrence.delta);
  visit(kEvent, "k8s.event.count", occurrence.count);
  text(kEvent, "k8s.event.reason", occurrence.reason);
  text(kEvent, "k8s.event.action", occurrence.action);
  text(kEvent, "k8s.event.name", occurrence.name);
  text(kEvent, "k8s.event.uid", occurrence.uid);
  text(kEvent, "k8s.event.start_time",
       FormatRfc3339Millis(occurrence.first_seen));
  text(kEvent, "k8s.event.reporting_component", occurrence.reporting_component);
  text(kEvent, "k8s.namespace.name", occurrence.event_namespace);
  text(kObject, "k8s.node.name", occurrence.host);
  text(kObject, "k8s.object.kind", occurrence.kind);
  text(kObject, "k8s.object.name", occurrence.object_name);
  text(kObject, "k8s.object.namespace", occurrence.object_namespace);
  text(kObject, "k8s.object.uid", occurrence.object_uid);
  text(kObject, "k8s.object.fieldpath", occurrence.field_path);
  text(kObject, "k8s.object.api_version", occurrence.api_version);
  text(kObject, "k8s.object.resource_version", occurrence.object_version);
}

}  // namespace kem

// An occurrence as an OpenTelemetry log record: its resource, which is the
// object, severity, and attributes. Used by the sinks log and otlp, which
// encode it. Every value but service.instance.id is a function of the Event, of
// the kinds that the cluster serves and of the configuration: replicas and
// retries write the same records, so that a store can drop duplicates. Only
// kube_event.delta is larger where a list showed several changes as one.
// Encodes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "occurrences/occurrence.h"
#include "sinks/sink_config.h"

namespace kem {

// Names, in github.com/open-telemetry/semantic-conventions at 384d661 (1.44):
// model/k8s/{entities,registry}.yaml for objects, docs/general/events.md for
// the event name, docs/registry/attributes/log.md for log.record.uid. It does
// not define k8s.event.* and k8s.object.* yet (issue 2318). They are those of
// the collector's k8s_events receiver (opentelemetry-collector-contrib
// receiver/k8seventsreceiver/k8s_event_to_logdata.go at c274a00, pull requests
// 45289 and 50962). kube_event.* and k8s.event.namespace are the exporter's.

// It names the structure of the record, so it is the same for all reasons.
inline constexpr std::string_view kEventName = "k8s.event";
inline constexpr std::string_view kServiceName = "kube-event-metrics";
inline constexpr std::string_view kRecordId = "log.record.uid";

// What all records of one sink have in common.
struct RecordConstants {
  Attributes resource;  // beside those of the object
  Attributes labels;    // beside those of the Event
};

// service.name, service.instance.id unless `instance` is empty, and `more`.
Attributes ServiceAttributes(const std::string& instance, Attributes more);

// Whether the configuration may not set this attribute, because the exporter
// does, or will when the conventions grow.
bool IsReservedAttribute(std::string_view name);

struct LogSeverity {
  int number;  // of the logs data model: 9 INFO, 13 WARN
  // As the Event has it: Normal or Warning, or any text.
  std::string_view text;
};
LogSeverity SeverityOf(const Occurrence& occurrence);

// Unix time, within what 63 bits can hold: Events may have any year up to 9999.
uint64_t UnixNanoseconds(WallTime time);

// Called for each attribute that has a value, always in the same order. The
// texts are valid during the call.
using FieldValue = std::variant<std::string_view, int64_t>;
using FieldVisitor = std::function<void(std::string_view key, FieldValue)>;

// The object. An Event whose claim about a cluster-scoped object is not trusted
// (events/scope_claims.h) has only a namespace.
void ForEachResourceField(const Occurrence& occurrence,
                          const FieldVisitor& visit);
// The Event.
void ForEachLogField(const Occurrence& occurrence, const FieldVisitor& visit);

}  // namespace kem

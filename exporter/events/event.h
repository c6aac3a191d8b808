// An Event as the exporter needs it, the same for core/v1 and events.k8s.io/v1,
// which are two spellings of one object. Filled by EventDecoder, used by the
// pipeline. Owns no text.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace kem {

// The reporting component of the Events that a mirror sink writes. EventFilter
// excludes them: their originals were counted.
inline constexpr std::string_view kMirrorComponent = "kube-event-metrics";

// Views point into the decoded JSON or the decoder's buffers. They are valid
// until the decoder's next call and as long as the JSON.
struct Event {
  std::string_view event_namespace;
  std::string_view name;
  std::string_view uid;
  uint64_t resource_version = 0;

  // involvedObject, or regarding.
  std::string_view api_version;
  std::string_view kind;
  std::string_view object_namespace;
  std::string_view object_name;
  // For sinks; never a label.
  std::string_view object_uid;
  std::string_view object_version;
  std::string_view field_path;

  std::string_view reason;
  // As written; core/v1 accepts any text.
  std::string_view type;
  // reportingComponent (reportingController), else source.component, as the
  // aggregating recorder leaves the first empty. A source.component that is
  // kMirrorComponent does not make a mirror, and is ignored.
  std::string_view reporting_component;
  // source.host, which events.k8s.io/v1 also has. Never labels.
  std::string_view host;
  std::string_view action;
  // message, or note. Never a label.
  std::string_view message;

  // series.count, else count, else 1; within [1, 2^31-1]. kubectl's order.
  uint32_t count = 1;
  // firstTimestamp, else eventTime, else creationTimestamp. Stays the same when
  // an expired Event is written again under its name.
  WallTime first_seen;
  // The newest of series.lastObservedTime, lastTimestamp, eventTime and
  // creationTimestamp.
  WallTime occurred_at;
  // creationTimestamp, the only time that is not the writer's but the API
  // server's.
  WallTime created;
  // The recorder's "(combined from similar events)" object.
  bool combined = false;
};

// The namespace of an Event's object that is in one. An empty one means the
// Event's: the API server takes the Event nowhere else.
inline std::string_view NamespaceOfObject(const Event& event) {
  return event.object_namespace.empty() ? event.event_namespace
                                        : event.object_namespace;
}

}  // namespace kem

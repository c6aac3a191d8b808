// An Event as the exporter needs it: who it is, whom it is about, how often it
// happened and when. The same for core/v1 and events.k8s.io/v1, which are one
// object under two spellings. Filled by EventDecoder, used by the pipeline;
// holds no text of its own.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"

namespace kem {

// The reporting component of the Events that the sink `namespace` writes.
// EventFilter lets none of them through: they were counted as the originals.
inline constexpr std::string_view kMirrorComponent = "kube-event-metrics";

// All views point into the decoded JSON or the decoder's buffers: valid until
// the decoder's next call, and only as long as the JSON is.
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
  // The rest of the reference, for sinks: never a label.
  std::string_view object_uid;
  std::string_view object_version;
  std::string_view field_path;

  std::string_view reason;
  // As written; core/v1 lets writers put anything here.
  std::string_view type;
  // reportingComponent (reportingController), else source.component: the
  // aggregating recorder leaves the first empty. kMirrorComponent by the first
  // only: a source of that name makes no mirror, and is left out.
  std::string_view reporting_component;
  // source.host, which events.k8s.io/v1 fills, too; and what was done. Never
  // labels.
  std::string_view host;
  std::string_view action;
  // message, or note: for people, and never a label.
  std::string_view message;

  // series.count, else count, else 1; within [1, 2^31-1]. kubectl's order.
  uint32_t count = 1;
  // firstTimestamp, else eventTime, else creationTimestamp: stays the same
  // when an expired Event is written again under its name.
  WallTime identity_time;
  // The newest of series.lastObservedTime, lastTimestamp, eventTime and
  // creationTimestamp: when it happened last.
  WallTime occurred_at;
  // The recorder's "(combined from similar events)" object.
  bool combined = false;
};

}  // namespace kem

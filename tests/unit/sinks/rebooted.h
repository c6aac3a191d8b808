// An Event about a Node, as it waits for a sink. Used by the tests of the sinks
// mirror and otlp. All fields that a mirror shows have a value. Its texts are
// literals.
#pragma once

#include <chrono>

#include "occurrences/occurrence.h"

namespace kem {

inline Occurrence Rebooted() {
  Occurrence one;
  one.event_namespace = "default";
  one.name = "worker-1.17";
  one.uid = "u-1";
  one.api_version = "v1";
  one.kind = "Node";
  one.object_name = "worker-1";
  one.object_uid = "worker-1";
  one.resource_version = 42;
  one.object_version = "41";
  one.reason = "Rebooted";
  one.type = "Warning";
  one.reporting_component = "kubelet";
  one.host = "worker-1";
  one.action = "Reboot";
  one.message = "it \"did\"";
  one.delta = 2;
  one.count = 2;
  one.first_seen = WallTime(std::chrono::seconds(1'795'435'100));
  one.occurred_at = WallTime(std::chrono::milliseconds(1'795'435'200'999));
  return one;
}

}  // namespace kem

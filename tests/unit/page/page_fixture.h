// Events and the data of a page, for the tests of pages that show what an
// EventSource found.
// Not for RenderPage, whose Events are of the last hour (page_test.cc).
#pragma once

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "page/page.h"

namespace kem {

inline const WallTime kPageNow{std::chrono::seconds(1795435200)};

inline PageData TestPageData() {
  PageData data;
  data.version = "1.2.3";
  data.telemetry_path = "/metrics";
  data.now = kPageNow;
  data.known_since = kPageNow - std::chrono::hours(30);
  data.uptime = std::chrono::minutes(200);
  data.watches = {{"all namespaces", true, true, ""}};
  return data;
}

// An Event about the Node worker-1, which occurred once, so long ago.
inline FoundEvent FoundNodeEvent(std::string reason, std::string type,
                                 std::chrono::seconds ago) {
  FoundEvent event;
  event.event_namespace = "default";
  event.name = "worker-1." + reason;
  event.api_version = "v1";
  event.kind = "Node";
  event.object_name = "worker-1";
  event.reason = std::move(reason);
  event.type = std::move(type);
  event.reporting_component = "kubelet";
  event.message = "said";
  event.cluster_scoped = true;
  event.first_seen = event.last_seen = event.received = kPageNow - ago;
  event.jumps = {{event.received, 1}};
  return event;
}

}  // namespace kem

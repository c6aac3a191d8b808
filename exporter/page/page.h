// The page at / for a person with no Grafana: whether the exporter is in sync,
// and what happened to cluster-scoped objects within the last hour. One HTML
// document with its style in it, that needs no script and forbids any. Filled
// by the app; asks nobody for anything itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "occurrences/recent_events.h"

namespace kem {

struct PageData {
  struct Watch {
    std::string name;
    bool synced = false;
    bool in_contact = false;
    std::string problem;
  };

  std::string version;
  std::string telemetry_path;  // with its slash
  WallTime now;
  std::chrono::seconds uptime{0};
  std::vector<Watch> watches;
  // That are watched; empty: all.
  std::vector<std::string> namespaces;
  int64_t tracked = 0;  // Events that exist
  // Filters leave out some Events, or all of cluster-scoped objects.
  bool filtered = false;
  bool cluster_scoped = true;
  RecentEvents::View recent;
};

// The whole document. Any bytes may stand in the data: what is no UTF-8, or
// moves text about, is shown as what it is.
std::string RenderPage(const PageData& data);

}  // namespace kem

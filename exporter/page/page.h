// The page at /, for people without Grafana: whether the exporter is in sync,
// and what happened to cluster-scoped objects in the last hour. One HTML
// document with its style; it needs no script and forbids any. The caller fills
// PageData.
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
  std::string source = "the API server";  // where Events come from
  std::string telemetry_path;             // with its slash
  WallTime now;
  std::chrono::seconds uptime{0};
  std::vector<Watch> watches;
  // The watched ones; empty for all.
  std::vector<std::string> namespaces;
  int64_t tracked = 0;  // Events that exist
  // Filters exclude some Events; cluster-scoped objects are not excluded.
  bool filtered = false;
  bool cluster_scoped = true;
  RecentEvents::View recent;
};

// The whole document. The data may be any bytes: what is not UTF-8, or changes
// the direction of text, is shown as a code point.
std::string RenderPage(const PageData& data);

}  // namespace kem

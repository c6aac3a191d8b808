// The page at /, for people without Grafana: whether the exporter is in sync,
// and what happened to cluster-scoped objects in the last hour, or in the input
// of --events.from. One HTML document with its style; it needs no script and
// forbids any. The caller fills PageData.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
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

  // What --events.from reads in place of watches.
  struct Input {
    std::string name;
    bool whole = false;   // read to its end, or a stream that goes on
    uint64_t events = 0;  // read, also those that a filter excludes
    // Of their occurrences, if there are any.
    WallTime oldest;
    WallTime newest;
  };

  std::string version;
  std::string telemetry_path;  // with its slash
  // Of Grafana, without a slash at its end; empty for no links.
  std::string grafana_url;
  WallTime now;
  std::chrono::seconds uptime{0};
  std::vector<Watch> watches;
  std::optional<Input> input;
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

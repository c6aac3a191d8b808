// The page at /, for people without Grafana: whether the exporter is in sync,
// and what happened to cluster-scoped objects in the last hour, or in the input
// of --events.from; with a filter, the Events that an EventSource found. HTML
// documents with their style; they need no script and forbid any. The caller
// fills the data (event_pages.h asks the source).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "history/event_source.h"
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
  // EventSource::KnownSince().
  WallTime known_since;
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

// What the filter bar shows: as the client wrote it, if it is no valid query
// too.
struct PageFilter {
  std::string kind;
  std::string name;
  std::string object_namespace;
  std::string reason;
  std::string type;
  std::string component;
  std::string words;
  std::string since;
  std::string until;

  bool operator==(const PageFilter&) const = default;
};

// The answer to a filter, one page of it.
struct PageList {
  PageFilter filter;
  // Why there are no Events: a sentence; empty when they were found.
  std::string problem;
  std::vector<FoundEvent> events;  // the latest received first
  // Queries of other pages, with their '?'; empty when there is none.
  std::string older;
  std::string newest;
};

// Whole documents. The data may be any bytes: what is not UTF-8, or changes the
// direction of text, is shown as a code point. RenderList ignores
// `data.recent`.
std::string RenderPage(const PageData& data);
std::string RenderList(const PageData& data, PageList list);

}  // namespace kem

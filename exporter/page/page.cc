#include "page/page.h"

#include <algorithm>
#include <string_view>

#include "page/page_style.h"
#include "page/page_sums.h"
#include "page/page_table.h"
#include "page/page_text.h"

namespace kem {
namespace {

bool Synced(const PageData& data) {
  return std::all_of(data.watches.begin(), data.watches.end(),
                     [](const PageData::Watch& watch) { return watch.synced; });
}

bool InSync(const PageData& data) {
  return Synced(data) && std::all_of(data.watches.begin(), data.watches.end(),
                                     [](const PageData::Watch& watch) {
                                       return watch.in_contact;
                                     });
}

std::string Namespaces(const PageData& data) {
  if (data.namespaces.empty()) return "all namespaces";
  std::string text = data.namespaces.size() == 1 ? "namespace " : "namespaces ";
  for (const std::string& name : data.namespaces) {
    if (&name != &data.namespaces.front()) text += ", ";
    text += EscapeHtml(name);
  }
  return text;
}

void PutHead(const PageData& data, const PageSums& sums, std::string& out) {
  std::string title = NumberText(sums.trouble) + " to look at";
  if (!InSync(data)) title = Synced(data) ? "Out of contact" : "Not in sync";
  out +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
      "form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      // Or browsers would ask for /favicon.ico.
      "<link rel=\"icon\" href=\"data:,\">\n";
  Put(out, {"<title>", title, " · kube-event-metrics</title>\n<style>",
            kPageStyle, "</style>\n</head>\n<body>\n<header>\n"});
  // The links are relative, so that they hold behind a proxy's prefix, too.
  Put(out, {"<strong>kube-event-metrics</strong>\n<span class=\"quiet\">",
            EscapeHtml(data.version), "</span>\n<nav aria-label=\"Endpoints\">",
            "<a href=\".", EscapeHtml(data.telemetry_path), "\">Metrics</a> "});
  out +=
      "<a href=\"./readyz\">Ready</a> <a href=\"./livez\">Alive</a></nav>\n"
      "</header>\n<main>\n";
}

void PutState(const PageData& data, std::string& out) {
  if (InSync(data)) {
    out +=
        "<div class=\"state\" role=\"status\"><p><b>In sync</b> with the API "
        "server. Watching ";
    Put(out, {Namespaces(data), data.filtered ? " by filters, " : ", ",
              Plural(static_cast<uint64_t>(std::max<int64_t>(data.tracked, 0)),
                     "Event", "Events"),
              " known; up ", AgeText(data.uptime), ".</p></div>\n"});
    return;
  }
  Put(out, {"<div class=\"state bad\" role=\"status\"><p><b>",
            Synced(data) ? "Out of contact</b> with the API server: what "
                           "happened since is not here yet."
                         : "Not in sync</b> with the API server yet: its list "
                           "of Events has not been read to the end.",
            " Up ", AgeText(data.uptime), ".</p>\n"});
  for (const PageData::Watch& watch : data.watches) {
    if (watch.synced && watch.in_contact) continue;
    Put(out, {"<p>Watch of ", EscapeHtml(watch.name), ": ",
              !watch.problem.empty() ? EscapeHtml(watch.problem)
              : watch.synced         ? "not in contact"
                                     : "first list not finished",
              "</p>\n"});
  }
  out += "</div>\n";
}

void PutSums(const PageData& data, const PageSums& sums, std::string& out) {
  const std::string_view least = sums.at_least ? "at least " : "";
  Put(out, {"<p class=\"sums\"><b>", sums.at_least ? "At least " : "",
            Plural(sums.occurrences, "occurrence", "occurrences"), "</b>, ",
            sums.trouble > 0 ? "<b class=\"warn\">" : "<b>",
            sums.trouble > 0 ? least : std::string_view(),
            NumberText(sums.trouble), " of them to look at</b>, in ",
            Plural(data.recent.events.size(), "Event", "Events"), " about ",
            Plural(sums.objects, "object", "objects"), ".</p>\n"});
  if (data.recent.more) {
    Put(out, {"<p>More happened than fits here: these are the newest ",
              NumberText(RecentEvents::kMaxEvents),
              " Events, and Warnings stay before others. The metrics count "
              "all.</p>\n"});
  }
}

void PutReasons(const std::vector<PageReason>& reasons, std::string& out) {
  out += "<h2>Top reasons</h2>\n<ol class=\"top\">\n";
  for (const PageReason& reason : reasons) {
    const uint64_t share = 100 * reason.occurrences /
                           std::max<uint64_t>(reasons.front().occurrences, 1);
    Put(out,
        {"<li", reason.trouble.empty() ? "" : " class=\"warn\"", "><span><b>",
         EscapeHtml(reason.reason), "</b> ", EscapeHtml(reason.kind),
         " <small>", reason.trouble, "</small></span><span>",
         NumberText(reason.occurrences), " <span class=\"quiet\">on ",
         Plural(reason.objects, "object", "objects"), "</span></span>"});
    out +=
        "<svg aria-hidden=\"true\" viewBox=\"0 0 100 1\" "
        "preserveAspectRatio=\"none\">";
    Put(out,
        {"<rect height=\"1\" width=\"",
         std::to_string(std::max<uint64_t>(share, 1)), "\"/></svg></li>\n"});
  }
  out += "</ol>\n";
}

// After a restart that needed no list.
void PutResumed(const PageData& data, std::string& out) {
  if (!Synced(data) || data.recent.listed ||
      data.uptime >= RecentEvents::kWindow) {
    return;
  }
  Put(out, {"<p>The exporter was restarted ", AgeText(data.uptime),
            " ago and went on where it had stopped. What happened before that "
            "is counted, but no longer shown here.</p>\n"});
}

void PutEmpty(const PageData& data, std::string& out) {
  out += "<div class=\"empty\">";
  if (!Synced(data)) {
    out +=
        "<p>Nothing can be said yet.</p><p class=\"quiet\">What happened shows "
        "as soon as the first list of Events is read.</p>";
  } else if (!data.cluster_scoped) {
    out +=
        "<p>Cluster-scoped objects are filtered out.</p><p class=\"quiet\">The "
        "scope that is set leaves them out; this page shows nothing "
        "else.</p>";
  } else {
    out +=
        "<p>Nothing happened to cluster-scoped objects in the last hour.</p>"
        "<p class=\"quiet\">No Node, PersistentVolume or other object without "
        "a namespace had an Event. Those of namespaced objects are in the "
        "metrics.</p>";
  }
  if (!data.namespaces.empty()) {
    Put(out, {"<p class=\"quiet\">Only Events in ", Namespaces(data),
              " are watched. Those of cluster-scoped objects mostly sit in "
              "default.</p>"});
  }
  out += "</div>\n";
}

}  // namespace

std::string RenderPage(const PageData& data) {
  std::string out;
  out.reserve((size_t{16} << 10) + data.recent.events.size() * 1200);
  const PageSums sums = AddUp(data.recent);
  PutHead(data, sums, out);
  PutState(data, out);
  out += "<h1>Cluster-scoped objects in the last hour</h1>\n";
  PutResumed(data, out);
  if (data.recent.events.empty()) {
    PutEmpty(data, out);
  } else {
    PutSums(data, sums, out);
    PutReasons(TopReasons(data.recent.events), out);
    PutEventTable(data.recent.events, data.now, out);
  }
  Put(out, {"</main>\n<footer><p>As of ", TimeText(data.now),
            " UTC. <a href=\"\">Refresh</a></p>\n</footer>\n</body>\n"
            "</html>\n"});
  return out;
}

}  // namespace kem

#include "page/page.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "page/event_table.h"
#include "page/filter_bar.h"
#include "page/page_frame.h"
#include "page/page_sums.h"
#include "page/page_text.h"

namespace kem {
namespace {

constexpr std::string_view kHere = "./";

// Ends a sentence about what the page shows.
std::string InScope(const PageData& data) {
  return data.input ? "in " + EscapeHtml(data.input->name) : "in the last hour";
}

std::string NeedAttention(const PageSums& sums) {
  return Plural(sums.trouble, "needs attention", "need attention");
}

std::string Title(const PageData& data, std::string_view title) {
  return std::string(IsInSync(data) ? title : SyncProblem(data));
}

void PutSums(const PageSums& sums, size_t events, std::string& out) {
  const std::string_view least = sums.at_least ? "At least " : "";
  const bool trouble = sums.trouble > 0;
  Put(out, {"<p class=\"sums\"><b>", least,
            Plural(sums.occurrences, "occurrence", "occurrences"), "</b> in ",
            Plural(events, "Event", "Events"), " about ",
            Plural(sums.objects, "object", "objects"), ". ",
            trouble ? "<b class=\"warn\">" : "<b>", trouble ? least : "",
            NeedAttention(sums), "</b>.</p>\n"});
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

// After a restart without a list.
void PutResumed(const PageData& data, std::string& out) {
  if (data.input || !IsSynced(data) || data.recent.listed ||
      data.uptime >= RecentEvents::kWindow) {
    return;
  }
  Put(out,
      {"<p>The exporter restarted ", AgeText(data.uptime),
       " ago and resumed. Earlier Events are in the metrics, but not shown "
       "here.</p>\n"});
}

void PutEmpty(const PageData& data, std::string& out) {
  out += "<div class=\"empty\">";
  if (!IsSynced(data)) {
    Put(out,
        {"<p>No data yet.</p><p class=\"quiet\">Events appear here when ",
         data.input ? "they are read" : "the first list is finished", ".</p>"});
  } else if (!data.cluster_scoped) {
    out +=
        "<p>Cluster-scoped objects are filtered out.</p><p class=\"quiet\">The "
        "configured scope excludes them, and this page shows no other "
        "objects.</p>";
  } else {
    Put(out, {"<p>No Events about cluster-scoped objects ", InScope(data),
              ".</p><p class=\"quiet\">Those are Nodes, PersistentVolumes and "
              "other objects without a namespace. For namespaced objects, see "
              "the metrics.</p>"});
  }
  if (!data.namespaces.empty()) {
    Put(out, {"<p class=\"quiet\">Only Events in ", WatchedNamespaces(data),
              " are watched. Most Events about cluster-scoped objects are in "
              "default.</p>"});
  }
  out += "</div>\n";
}

}  // namespace

std::string RenderPage(const PageData& data) {
  std::vector<EventRow> rows;
  rows.reserve(data.recent.events.size());
  for (const RecentEvent& event : data.recent.events) {
    rows.push_back(RowOf(event));
  }
  PageSums sums = AddUp(rows);
  sums.at_least |= data.recent.more;
  std::string out;
  out.reserve((size_t{16} << 10) + rows.size() * 1200);
  PutHead(data, kHere, Title(data, NeedAttention(sums)), out);
  PutState(data, out);
  Put(out, {"<h1>Cluster-scoped objects ", InScope(data), "</h1>\n"});
  PutResumed(data, out);
  if (rows.empty()) {
    PutEmpty(data, out);
    PutFilterBar(data, {}, out);
  } else {
    PutSums(sums, rows.size(), out);
    if (data.recent.more) {
      Put(out, {"<p>Not all Events fit: these are the newest ",
                NumberText(RecentEvents::kMaxEvents),
                ", and Warnings stay longer than others. The metrics count all "
                "Events.</p>\n"});
    }
    PutReasons(TopReasons(rows), out);
    PutFilterBar(data, {}, out);
    PutEventTable({kHere, "Events, newest first", data.now, true}, rows, out);
    Put(out,
        {"<p class=\"note\">", kLegend, " Count is the number of occurrences",
         data.input ? ""
                    : " in the last hour; below it is the total of an older "
                      "Event. Deleted Events stay here for an hour",
         ".</p>\n"});
  }
  PutFoot(data, out);
  return out;
}

std::string RenderList(const PageData& data, PageList list) {
  std::vector<EventRow> rows;
  rows.reserve(list.events.size());
  for (FoundEvent& event : list.events) rows.push_back(RowOf(std::move(event)));
  std::string out;
  out.reserve((size_t{16} << 10) + rows.size() * 1200);
  PutHead(data, kHere, Title(data, "Events"), out);
  PutState(data, out);
  out += "<h1>Events</h1>\n";
  PutFilterBar(data, list.filter, out);
  if (!list.problem.empty()) {
    PutProblem(list.problem, out);
  } else if (rows.empty()) {
    Put(out, {"<div class=\"empty\"><p>No Events match.</p><p class=\"quiet\">",
              KnownSince(data), "</p></div>\n"});
  } else {
    PutSums(AddUp(rows), rows.size(), out);
    PutEventTable({kHere, "Events, newest first", data.now, true}, rows, out);
    Put(out, {"<p class=\"note\">", kLegend, " ", kCountLegend, " ",
              KnownSince(data), "</p>\n"});
  }
  if (!list.newest.empty() || !list.older.empty()) {
    out += "<nav class=\"pages\" aria-label=\"Pages\">";
    if (!list.newest.empty())
      Put(out, {"<a href=\"", EscapeHtml(list.newest), "\">Newest</a> "});
    if (!list.older.empty())
      Put(out,
          {"<a rel=\"next\" href=\"", EscapeHtml(list.older), "\">Older</a>"});
    out += "</nav>\n";
  }
  PutFoot(data, out);
  return out;
}

}  // namespace kem

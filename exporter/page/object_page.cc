#include "page/object_page.h"

#include <algorithm>
#include <set>
#include <utility>

#include "events/cluster_kinds.h"
#include "page/event_table.h"
#include "page/filter_bar.h"
#include "page/page_frame.h"
#include "page/page_text.h"
#include "page/timeline.h"

namespace kem {
namespace {

constexpr std::string_view kUp = "../../";
constexpr size_t kMaxRows = 200;
constexpr size_t kMaxCommands = 3;

std::string HeadLine(const ObjectName& object) {
  return ShortText(object.kind) + " " + ShortText(object.name);
}

void PutTitle(const ObjectName& object, std::string& out) {
  Put(out, {"<h1><small>", ShortText(object.kind), "</small> <bdi>",
            ShortText(object.name), "</bdi></h1>\n"});
}

// Links to the page itself. The range of the URL ends now: `until` is dropped.
void PutRanges(const PageData& data, const ObjectPage& page, std::string& out) {
  const auto link = [&](std::string_view since, std::string_view text) {
    if (since == page.range) {
      Put(out, {" <b aria-current=\"true\">", text, "</b>"});
      return;
    }
    const std::string query =
        QueryText({{"namespace", page.object.object_namespace},
                   {"group", page.object.group},
                   {"since", since}});
    // An empty link would keep the query.
    Put(out, {" <a href=\"", query.empty() ? "?" : EscapeHtml(query), "\">",
              text, "</a>"});
  };
  out += "<nav class=\"links\" aria-label=\"Time range\">Time range:";
  for (const PageRange& range : KnownRanges(data)) link(range.text, range.text);
  link("", "all");
  out += "</nav>\n";
}

void PutLinks(const PageData& data, const ObjectName& object,
              const TimeRange& range, std::string& out) {
  Put(out, {"<nav class=\"links\" aria-label=\"This object\"><a href=\"", kUp,
            EscapeHtml(EventsLink(object)), "\">Filter its Events</a>"});
  const std::string dashboard =
      DashboardLink(data.grafana_url, object, range.from, range.to);
  if (!dashboard.empty()) {
    Put(out, {" <a rel=\"noopener\" href=\"", EscapeHtml(dashboard),
              "\">Dashboard in Grafana</a>"});
  }
  out += "</nav>\n";
}

void PutFacts(const PageData& data, const ObjectPage& page,
              const std::vector<EventRow>& rows, std::string& out) {
  std::set<std::string_view> versions;
  WallTime first = rows.front().event.first_seen;
  WallTime last = rows.front().event.last_seen;
  for (const EventRow& row : rows) {
    if (!row.event.api_version.empty()) versions.insert(row.event.api_version);
    first = std::min(first, row.event.first_seen);
    last = std::max(last, row.event.last_seen);
  }
  out += "<p>";
  if (page.object.object_namespace.empty()) {
    out += "Cluster-scoped";
  } else {
    Put(out, {"Namespace ", ShortText(page.object.object_namespace)});
  }
  for (const std::string_view version : versions) {
    Put(out, {", ", ShortText(version)});
  }
  Put(out, {". First seen ", TimeText(first), " UTC, last ", TimeText(last),
            " UTC ("});
  PutAge(last, data.now, out);
  out += " ago).</p>\n";
  const PageSums sums = AddUp(rows);
  const std::string trouble =
      Plural(sums.trouble, "needs attention", "need attention");
  Put(out,
      {"<p class=\"sums\"><b>",
       Plural(sums.occurrences, "occurrence", "occurrences"), "</b> in ",
       page.more ? "the newest " : "", Plural(rows.size(), "Event", "Events"),
       ". <b", sums.trouble > 0 ? " class=\"warn\">" : ">", trouble,
       "</b>.</p>\n"});
}

// Kinds of one name may exist in several groups.
void PutGroups(const ObjectPage& page, const std::vector<EventRow>& rows,
               std::string& out) {
  std::set<std::string_view> groups;
  for (const EventRow& row : rows) {
    const std::string& version = row.event.api_version;
    if (!version.empty()) groups.insert(ApiGroup(version));
  }
  if (groups.size() < 2) return;
  out += "<p>Objects of this kind and name are in several API groups:";
  for (const std::string_view group : groups) {
    const std::string name = group.empty() ? "core" : ShortText(group);
    const std::string query = QueryText(
        {{"namespace", page.object.object_namespace}, {"group", group}});
    Put(out, {group == *groups.begin() ? " " : ", "});
    if (group.empty()) {
      out += name;
    } else {
      Put(out, {"<a href=\"", EscapeHtml(query), "\">", name, "</a>"});
    }
  }
  out += ".</p>\n";
}

void PutReason(const ReasonHistory& reason, WallTime now, std::string& out) {
  const FoundEvent& latest = reason.rows.front()->event;
  Put(out, {"<li", reason.trouble.empty() ? "" : " class=\"warn\"", "><h3>",
            reason.trouble.empty() ? "" : kAttention, ShortText(reason.reason),
            " <small>", ShortText(latest.type)});
  if (!reason.trouble.empty() && reason.trouble != latest.type) {
    Put(out, {", ", reason.trouble});
  }
  Put(out,
      {"</small></h3>\n<p class=\"quiet\">",
       Plural(reason.occurrences, "occurrence", "occurrences"), ", last "});
  PutAge(latest.last_seen, now, out);
  out += " ago, first ";
  PutAge(reason.first_seen, now, out);
  Put(out, {" ago</p>\n<p class=\"said\" dir=\"auto\">",
            ShortLines(latest.message), "</p>\n"});
  if (const CatalogueReason* known = FindKnown(latest)) {
    PutAdvice(*known, out);
  }
  out += "</li>\n";
}

void PutReasons(const std::vector<ReasonHistory>& reasons,
                const TimeRange& range, WallTime now, std::string& out) {
  Put(out, {"<h2>Timeline</h2>\n<p class=\"quiet\">", TimeText(range.from),
            " to ", TimeText(range.to), " UTC. "});
  out +=
      "Triangles need attention, circles do not. A line joins the first and "
      "last occurrence of an Event.</p>\n";
  PutTimeline(reasons, range, out);
  if (reasons.size() > kMaxLanes) {
    Put(out, {"<p>",
              Plural(reasons.size() - kMaxLanes, "more reason", "more reasons"),
              ", in the table only:"});
    for (size_t i = kMaxLanes; i < std::min(reasons.size(), 2 * kMaxLanes);
         ++i) {
      Put(out, {i == kMaxLanes ? " " : ", ", ShortText(reasons[i].reason)});
    }
    out += reasons.size() > 2 * kMaxLanes ? ", …</p>\n" : ".</p>\n";
  }
  out += "<h2>Latest message of each reason</h2>\n<ol class=\"reasons\">\n";
  for (size_t i = 0; i < std::min(reasons.size(), kMaxLanes); ++i) {
    PutReason(reasons[i], now, out);
  }
  out += "</ol>\n";
}

void PutEvents(const PageData& data, const ObjectPage& page,
               std::vector<EventRow>& rows, std::string& out) {
  out += "<h2 id=\"events\">Events</h2>\n";
  const bool more = page.more || rows.size() > kMaxRows;
  if (more) {
    Put(out, {"<p>These are the newest ",
              NumberText(std::min(rows.size(), kMaxRows)), ". <a href=\"", kUp,
              EscapeHtml(EventsLink(page.object)),
              "\">All Events of the object</a></p>\n"});
  }
  if (rows.size() > kMaxRows) rows.resize(kMaxRows);
  PutEventTable({kUp, "Events of the object, newest first", data.now, true},
                rows, out);
  Put(out, {"<p class=\"note\">", kLegend, " ", kCountLegend, " ",
            KnownSince(data), "</p>\n"});
}

void PutRelated(const PageData& data, ObjectPage::Related related,
                std::string& out) {
  if (related.events.empty() && related.problem.empty()) return;
  std::vector<EventRow> rows;
  for (FoundEvent& event : related.events) {
    rows.push_back(RowOf(std::move(event)));
  }
  const std::string title = EscapeHtml(related.title);
  Put(out, {"<section>\n<h2>", title, "</h2>\n"});
  if (!related.note.empty()) {
    Put(out, {"<p class=\"note\">", EscapeHtml(related.note), "</p>\n"});
  }
  if (related.problem.empty()) {
    PutEventTable({kUp, title, data.now, false}, rows, out);
  } else {
    PutProblem(related.problem, out);
  }
  out += "</section>\n";
}

void PutCommands(const std::vector<EventRow>& rows, std::string& out) {
  std::vector<std::string> commands = {DescribeCommand(rows.front().event)};
  for (const EventRow& row : rows) {
    std::string command = KubectlCommand(row.event);
    if (std::find(commands.begin(), commands.end(), command) ==
            commands.end() &&
        commands.size() <= kMaxCommands) {
      commands.push_back(std::move(command));
    }
  }
  out += "<h2>Commands</h2>\n<div class=\"commands\">\n";
  for (const std::string& command : commands) PutCommand(command, out);
  out += "</div>\n";
}

void PutMissing(const PageData& data, const ObjectPage& page,
                std::string& out) {
  Put(out, {"<div class=\"empty\"><p>No Events about this object are known",
            page.since || page.until ? " in this time" : "",
            page.more ? ", among the newest of its kind and name" : "",
            ".</p><p class=\"quiet\">", KnownSince(data), "</p>"});
  if (!page.others.empty()) {
    out += "<p>Objects of the same kind and name:</p><ul>";
    for (const ObjectName& other : page.others) {
      const std::string link = ObjectLink(other);
      if (link.empty()) continue;
      Put(out, {"<li><a href=\"", kUp, EscapeHtml(link), "\">",
                other.object_namespace.empty()
                    ? "cluster-scoped"
                    : "namespace " + ShortText(other.object_namespace),
                other.group.empty() ? "" : ", " + ShortText(other.group),
                "</a></li>"});
    }
    out += "</ul>";
  }
  out += "</div>\n";
}

}  // namespace

std::string RenderObject(const PageData& data, ObjectPage page) {
  std::vector<EventRow> rows;
  rows.reserve(page.events.size());
  for (FoundEvent& event : page.events) rows.push_back(RowOf(std::move(event)));
  const TimeRange range =
      RangeOf(rows, page.since, page.until, data.known_since, data.now);
  std::string out;
  out.reserve((size_t{32} << 10) + rows.size() * 1500);
  PutHead(data, kUp, HeadLine(page.object), out);
  PutState(data, out);
  PutTitle(page.object, out);
  if (!page.problem.empty()) {
    PutProblem(page.problem, out);
  } else if (rows.empty()) {
    PutMissing(data, page, out);
  } else {
    PutFacts(data, page, rows, out);
    PutGroups(page, rows, out);
  }
  PutLinks(data, page.object, range, out);
  PutRanges(data, page, out);
  if (!rows.empty()) {
    PutReasons(ByReason(rows), range, data.now, out);
    PutCommands(rows, out);
    PutEvents(data, page, rows, out);
    for (ObjectPage::Related& related : page.related) {
      PutRelated(data, std::move(related), out);
    }
  }
  PutFoot(data, out);
  return out;
}

}  // namespace kem

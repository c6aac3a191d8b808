#include "page/page.h"

#include <algorithm>
#include <string_view>

#include "page/page_style.h"
#include "page/page_sums.h"
#include "page/page_text.h"

namespace kem {
namespace {

bool Synced(const PageData& data) {
  if (data.input) return data.input->whole;
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

// Ends a sentence about what the page shows.
std::string InScope(const PageData& data) {
  return data.input ? "in " + EscapeHtml(data.input->name) : "in the last hour";
}

std::string NeedAttention(const PageSums& sums) {
  return Plural(sums.trouble, "needs attention", "need attention");
}

void PutHead(const PageData& data, const PageSums& sums, std::string& out) {
  std::string title = NeedAttention(sums);
  if (!InSync(data)) {
    title = data.input     ? "Reading"
            : Synced(data) ? "Out of contact"
                           : "Not in sync";
  }
  out +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
      "form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      // Otherwise browsers request /favicon.ico.
      "<link rel=\"icon\" href=\"data:,\">\n";
  Put(out, {"<title>", title, " · kube-event-metrics</title>\n<style>",
            kPageStyle, "</style>\n</head>\n<body>\n<header>\n"});
  // Relative links work behind a proxy's prefix.
  Put(out, {"<strong>kube-event-metrics</strong>\n<span class=\"quiet\">",
            EscapeHtml(data.version), "</span>\n<nav aria-label=\"Endpoints\">",
            "<a href=\".", EscapeHtml(data.telemetry_path), "\">Metrics</a> "});
  out +=
      "<a href=\"./readyz\">Ready</a> <a href=\"./livez\">Alive</a></nav>\n"
      "</header>\n<main>\n";
}

void PutInput(const PageData::Input& input, bool filtered, std::string& out) {
  Put(out,
      {"<div class=\"state\" role=\"status\"><p><b>",
       input.whole ? "Offline" : "Reading", "</b> from ",
       EscapeHtml(input.name), ": ", Plural(input.events, "Event", "Events"),
       input.whole ? "" : " so far", filtered ? " before filters" : ""});
  if (input.events > 0) {
    Put(out, {", from ", TimeText(input.oldest), " to ", TimeText(input.newest),
              " UTC"});
  }
  out += ".</p></div>\n";
}

void PutState(const PageData& data, std::string& out) {
  if (data.input) return PutInput(*data.input, data.filtered, out);
  if (InSync(data)) {
    out +=
        "<div class=\"state\" role=\"status\"><p><b>In sync</b> with the API "
        "server. Watching ";
    Put(out, {Namespaces(data), data.filtered ? " with filters, " : ", ",
              Plural(static_cast<uint64_t>(std::max<int64_t>(data.tracked, 0)),
                     "Event", "Events"),
              " tracked, up ", AgeText(data.uptime), ".</p></div>\n"});
    return;
  }
  Put(out, {"<div class=\"state bad\" role=\"status\"><p><b>",
            Synced(data) ? "Out of contact" : "Not in sync",
            "</b> with the API server: ",
            Synced(data) ? "newer Events are missing"
                         : "the first list of Events is not finished",
            ". Up ", AgeText(data.uptime), ".</p>\n"});
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
  const std::string_view least = sums.at_least ? "At least " : "";
  const bool trouble = sums.trouble > 0;
  Put(out, {"<p class=\"sums\"><b>", least,
            Plural(sums.occurrences, "occurrence", "occurrences"), "</b> in ",
            Plural(data.recent.events.size(), "Event", "Events"), " about ",
            Plural(sums.objects, "object", "objects"), ". ",
            trouble ? "<b class=\"warn\">" : "<b>", trouble ? least : "",
            NeedAttention(sums), "</b>.</p>\n"});
  if (data.recent.more) {
    Put(out, {"<p>Not all Events fit: these are the newest ",
              NumberText(RecentEvents::kMaxEvents),
              ", and Warnings stay longer than others. The metrics count all "
              "Events.</p>\n"});
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

// After a restart without a list.
void PutResumed(const PageData& data, std::string& out) {
  if (data.input || !Synced(data) || data.recent.listed ||
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
  if (!Synced(data)) {
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
    Put(out, {"<p class=\"quiet\">Only Events in ", Namespaces(data),
              " are watched. Most Events about cluster-scoped objects are in "
              "default.</p>"});
  }
  out += "</div>\n";
}

// An Event that was reported later than this has two times worth showing: its
// writer's clock may be wrong.
constexpr std::chrono::minutes kOtherClock{5};

std::string AgeSince(WallTime then, WallTime now) {
  return AgeText(std::chrono::floor<std::chrono::seconds>(now - then));
}

// Shown when the message is opened.
void PutDetails(const RecentEvent& event, const CatalogueReason* known,
                WallTime now, std::string& out) {
  if (known != nullptr) {
    Put(out, {"<p>", EscapeHtml(known->meaning), " <b>What to do:</b> ",
              EscapeHtml(known->action), "</p>"});
  }
  const std::string command = KubectlCommand(event);
  if (!command.empty()) {
    Put(out, {"<code>", EscapeHtml(command), "</code>"});
  }
  Put(out, {"<small>Event ", EscapeHtml(event.event_namespace), "/",
            EscapeHtml(event.name), ", about ", EscapeHtml(event.api_version),
            " ", EscapeHtml(event.kind), ", reported by ",
            event.reporting_component.empty()
                ? "an unnamed component"
                : EscapeHtml(event.reporting_component),
            ", first seen ", TimeText(event.first_seen), " UTC (",
            AgeSince(event.first_seen, now), " ago)"});
  if (event.seen_at - event.occurred_at > kOtherClock) {
    Put(out, {", last occurrence ", TimeText(event.occurred_at),
              " UTC by its writer's clock, received ",
              AgeSince(event.seen_at, now), " ago"});
  }
  out += "</small>";
}

void PutType(const RecentEvent& event, std::string_view trouble,
             std::string& out) {
  if (!trouble.empty()) out += "<span aria-hidden=\"true\">▲ </span>";
  out += EscapeHtml(event.type);
  if (!trouble.empty() && trouble != event.type) {
    Put(out, {" <small>", trouble, "</small>"});
  }
}

void PutCount(const RecentEvent& event, WallTime now, std::string& out) {
  Put(out, {NumberText(event.in_window), event.at_least ? "+" : ""});
  if (event.at_least || event.count != event.in_window) {
    Put(out, {" <small>", NumberText(event.count), " over ",
              AgeSince(event.first_seen, now), "</small>"});
  }
}

void PutRow(const RecentEvent& event, WallTime now, std::string& out) {
  const CatalogueReason* known = FindKnown(event);
  const std::string_view trouble = Trouble(event, known);
  const std::string time = TimeText(event.seen_at);
  Put(out, {"<tr role=\"row\" class=\"", trouble.empty() ? "other" : "warn",
            "\"><td role=\"cell\" class=\"age\"><time title=\"", time,
            " UTC\" datetime=\"", time, "Z\">", AgeSince(event.seen_at, now),
            "</time></td><td role=\"cell\" class=\"type\">"});
  PutType(event, trouble, out);
  Put(out,
      {"</td><td role=\"cell\" class=\"reason\">", EscapeHtml(event.reason),
       "</td><td role=\"cell\" class=\"object\"><small>",
       EscapeHtml(event.kind), "</small> <bdi>", EscapeHtml(event.object_name),
       "</bdi></td><td role=\"cell\" class=\"message\">"});
  Put(out, {"<details><summary><span dir=\"auto\">", EscapeLines(event.message),
            "</span></summary><div>"});
  PutDetails(event, known, now, out);
  out += "</div></details></td><td role=\"cell\" class=\"count\">";
  PutCount(event, now, out);
  Put(out, {"</td><td role=\"cell\" class=\"ns\">",
            EscapeHtml(event.event_namespace), "</td></tr>\n"});
}

// A row for each Event, whose message opens for the details without a script,
// and the legend.
void PutEventTable(const PageData& data, std::string& out) {
  out +=
      "<input type=\"checkbox\" id=\"w\" class=\"filter\" "
      "autocomplete=\"off\"><label for=\"w\">Only Events that need "
      "attention</label> <span class=\"quiet\">Newest first. Open a message "
      "for "
      "its full text, advice and a kubectl command.</span>\n"
      "<table role=\"table\" aria-label=\"Events, newest first\">\n"
      "<thead role=\"rowgroup\"><tr role=\"row\">";
  constexpr std::string_view kColumns[][2] = {
      {"age", "Age"},           {"type", "Type"},       {"reason", "Reason"},
      {"object", "Object"},     {"message", "Message"}, {"count", "Count"},
      {"ns", "Event namespace"}};
  for (const auto& [name, title] : kColumns) {
    Put(out, {"<th role=\"columnheader\" scope=\"col\" class=\"", name, "\">",
              title, "</th>"});
  }
  out += "</tr></thead>\n<tbody role=\"rowgroup\">\n";
  for (const RecentEvent& event : data.recent.events) {
    PutRow(event, data.now, out);
  }
  Put(out, {"</tbody>\n</table>\n<p class=\"note\">▲ marks Events that need "
            "attention: Warnings, and Normal Events with a reason known to be "
            "bad. Count is the number of occurrences",
            data.input ? ""
                       : " in the last hour; below it is the total of an older "
                         "Event. Deleted Events stay here for an hour",
            ".</p>\n"});
}

}  // namespace

std::string RenderPage(const PageData& data) {
  std::string out;
  out.reserve((size_t{16} << 10) + data.recent.events.size() * 1200);
  const PageSums sums = AddUp(data.recent);
  PutHead(data, sums, out);
  PutState(data, out);
  Put(out, {"<h1>Cluster-scoped objects ", InScope(data), "</h1>\n"});
  PutResumed(data, out);
  if (data.recent.events.empty()) {
    PutEmpty(data, out);
  } else {
    PutSums(data, sums, out);
    PutReasons(TopReasons(data.recent.events), out);
    PutEventTable(data, out);
  }
  Put(out, {"</main>\n<footer><p>As of ", TimeText(data.now),
            " UTC. <a href=\"\">Refresh</a></p>\n</footer>\n</body>\n"
            "</html>\n"});
  return out;
}

}  // namespace kem

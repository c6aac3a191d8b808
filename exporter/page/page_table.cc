#include "page/page_table.h"

#include <chrono>
#include <string_view>

#include "page/page_sums.h"
#include "page/page_text.h"

namespace kem {
namespace {

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
            AgeSince(event.first_seen, now), " ago)</small>"});
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
  const std::string time = TimeText(event.occurred_at);
  Put(out,
      {"<tr role=\"row\" class=\"", trouble.empty() ? "other" : "warn",
       "\"><td role=\"cell\" class=\"age\"><time title=\"", time,
       " UTC\" datetime=\"", time, "Z\">", AgeSince(event.occurred_at, now),
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

}  // namespace

void PutEventTable(const std::vector<RecentEvent>& events, WallTime now,
                   std::string& out) {
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
  for (const RecentEvent& event : events) PutRow(event, now, out);
  out +=
      "</tbody>\n</table>\n<p class=\"note\">▲ marks Events that need "
      "attention: Warnings, and Normal Events with a reason known to be bad. "
      "Count is the number of occurrences in the last hour; below it is the "
      "total of an older Event. Deleted Events stay here for an hour.</p>\n";
}

}  // namespace kem

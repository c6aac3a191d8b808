#include "page/event_table.h"

#include "base/utf8.h"
#include "page/page_links.h"
#include "page/page_text.h"

namespace kem {
namespace {

// An Event that was reported later than this has two times worth showing: its
// writer's clock may be wrong.
constexpr std::chrono::minutes kOtherClock{5};

std::string Cut(std::string_view text) {
  if (text.size() <= RecentEvents::kMaxMessage) return std::string(text);
  return std::string(CutUtf8(text, RecentEvents::kMaxMessage)) + "…";
}

// Shown when the message is opened.
void PutDetails(const FoundEvent& event, const CatalogueReason* known,
                WallTime now, std::string& out) {
  if (known != nullptr) PutAdvice(*known, out);
  PutCommand(KubectlCommand(event), out);
  Put(out,
      {"<small>Event ", ShortText(event.event_namespace), "/",
       ShortText(event.name), ", about ", ShortText(event.api_version), " ",
       ShortText(event.kind), ", reported by ",
       event.reporting_component.empty() ? "an unnamed component"
                                         : ShortText(event.reporting_component),
       ", first seen ", TimeText(event.first_seen), " UTC (",
       AgeSince(event.first_seen, now), " ago)"});
  if (event.received - event.last_seen > kOtherClock) {
    Put(out, {", last occurrence ", TimeText(event.last_seen),
              " UTC by its writer's clock, received ",
              AgeSince(event.received, now), " ago"});
  }
  out += "</small>";
}

void PutType(const FoundEvent& event, std::string_view trouble,
             std::string& out) {
  if (!trouble.empty()) out += kAttention;
  out += ShortText(event.type);
  if (!trouble.empty() && trouble != event.type) {
    Put(out, {" <small>", trouble, "</small>"});
  }
}

void PutCount(const EventRow& row, WallTime now, std::string& out) {
  const FoundEvent& event = row.event;
  Put(out, {NumberText(row.occurrences), row.at_least ? "+" : ""});
  if (row.at_least || event.count != row.occurrences) {
    Put(out, {" <small>", NumberText(event.count), " over ",
              AgeSince(event.first_seen, now), "</small>"});
  }
}

void PutRow(const EventTable& table, const EventRow& row, std::string& out) {
  const FoundEvent& event = row.event;
  const CatalogueReason* known = FindKnown(event);
  const std::string_view trouble = Trouble(event, known);
  Put(out, {"<tr role=\"row\" class=\"", trouble.empty() ? "other" : "warn",
            "\"><td role=\"cell\" class=\"age\">"});
  PutAge(event.received, table.now, out);
  out += "</td><td role=\"cell\" class=\"type\">";
  PutType(event, trouble, out);
  Put(out, {"</td><td role=\"cell\" class=\"reason\">", ShortText(event.reason),
            "</td><td role=\"cell\" class=\"object\"><small>",
            ShortText(event.kind), "</small> "});
  PutObjectLink(table.root, event, out);
  Put(out, {"</td><td role=\"cell\" class=\"message\"><details><summary>"
            "<span dir=\"auto\">",
            ShortLines(event.message), "</span></summary><div>"});
  PutDetails(event, known, table.now, out);
  out += "</div></details></td><td role=\"cell\" class=\"count\">";
  PutCount(row, table.now, out);
  Put(out, {"</td><td role=\"cell\" class=\"ns\">",
            ShortText(event.event_namespace), "</td></tr>\n"});
}

}  // namespace

std::string AgeSince(WallTime then, WallTime now) {
  return AgeText(std::chrono::floor<std::chrono::seconds>(now - then));
}

std::string ShortText(std::string_view text) { return EscapeHtml(Cut(text)); }
std::string ShortLines(std::string_view text) { return EscapeLines(Cut(text)); }

void PutAdvice(const CatalogueReason& known, std::string& out) {
  Put(out, {"<p>", EscapeHtml(known.meaning), " <b>What to do:</b> ",
            EscapeHtml(known.action), "</p>"});
}

void PutCommand(const std::string& command, std::string& out) {
  if (!command.empty()) Put(out, {"<code>", EscapeHtml(command), "</code>"});
}

void PutObjectLink(std::string_view root, const FoundEvent& event,
                   std::string& out) {
  const ObjectName object = ObjectOf(event);
  const std::string link = ObjectLink(object);
  if (!link.empty()) Put(out, {"<a href=\"", root, EscapeHtml(link), "\">"});
  out += "<bdi>";
  if (!object.object_namespace.empty()) {
    Put(out, {ShortText(object.object_namespace), "/"});
  }
  Put(out, {ShortText(object.name), "</bdi>", link.empty() ? "" : "</a>"});
}

void PutAge(WallTime then, WallTime now, std::string& out) {
  const std::string time = TimeText(then);
  Put(out, {"<time title=\"", time, " UTC\" datetime=\"", time, "Z\">",
            AgeSince(then, now), "</time>"});
}

void PutEventTable(const EventTable& table, const std::vector<EventRow>& rows,
                   std::string& out) {
  if (table.filter) {
    out +=
        "<input type=\"checkbox\" id=\"w\" class=\"filter\" "
        "autocomplete=\"off\"><label for=\"w\">Only Events that need "
        "attention</label> <span class=\"quiet\">Newest first. Open a message "
        "for "
        "its full text, advice and a kubectl command.</span>\n";
  }
  Put(out, {"<table role=\"table\" aria-label=\"", table.name,
            "\">\n<thead role=\"rowgroup\"><tr role=\"row\">"});
  constexpr std::string_view kColumns[][2] = {
      {"age", "Age"},           {"type", "Type"},       {"reason", "Reason"},
      {"object", "Object"},     {"message", "Message"}, {"count", "Count"},
      {"ns", "Event namespace"}};
  for (const auto& [name, title] : kColumns) {
    Put(out, {"<th role=\"columnheader\" scope=\"col\" class=\"", name, "\">",
              title, "</th>"});
  }
  out += "</tr></thead>\n<tbody role=\"rowgroup\">\n";
  for (const EventRow& row : rows) PutRow(table, row, out);
  out += "</tbody>\n</table>\n";
}

}  // namespace kem

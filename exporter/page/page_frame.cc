#include "page/page_frame.h"

#include <algorithm>

#include "page/page_style.h"
#include "page/page_text.h"

namespace kem {
namespace {

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

}  // namespace

bool IsSynced(const PageData& data) {
  if (data.input) return data.input->whole;
  return std::all_of(data.watches.begin(), data.watches.end(),
                     [](const PageData::Watch& watch) { return watch.synced; });
}

bool IsInSync(const PageData& data) {
  return IsSynced(data) && std::all_of(data.watches.begin(), data.watches.end(),
                                       [](const PageData::Watch& watch) {
                                         return watch.in_contact;
                                       });
}

std::string_view SyncProblem(const PageData& data) {
  if (data.input) return "Reading";
  return IsSynced(data) ? "Out of contact" : "Not in sync";
}

std::string WatchedNamespaces(const PageData& data) {
  if (data.namespaces.empty()) return "all namespaces";
  std::string text = data.namespaces.size() == 1 ? "namespace " : "namespaces ";
  for (const std::string& name : data.namespaces) {
    if (&name != &data.namespaces.front()) text += ", ";
    text += EscapeHtml(name);
  }
  return text;
}

std::string KnownSince(const PageData& data) {
  if (data.input) return "";
  return "Events are known since " + TimeText(data.known_since) + " UTC.";
}

void PutProblem(const std::string& sentence, std::string& out) {
  Put(out,
      {"<p class=\"problem\" role=\"alert\">", EscapeHtml(sentence), "</p>\n"});
}

void PutHead(const PageData& data, std::string_view root,
             std::string_view title, std::string& out) {
  out +=
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
      "'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
      "form-action 'self'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      // Otherwise browsers request /favicon.ico.
      "<link rel=\"icon\" href=\"data:,\">\n";
  Put(out, {"<title>", title, " · kube-event-metrics</title>\n<style>",
            kPageStyle, "</style>\n</head>\n<body>\n"});
  out += "<a class=\"skip\" href=\"#main\">Skip to the Events</a>\n<header>\n";
  // Relative links work behind a proxy's prefix.
  Put(out, {"<strong>kube-event-metrics</strong>\n<span class=\"quiet\">",
            EscapeHtml(data.version), "</span>\n<nav aria-label=\"Endpoints\">",
            "<a href=\"", root, "\">Events</a> <a href=\"", root,
            EscapeHtml(std::string_view(data.telemetry_path).substr(1)),
            "\">Metrics</a> <a href=\"", root, "readyz\">Ready</a> <a href=\"",
            root, "livez\">Alive</a></nav>\n</header>\n<main id=\"main\">\n"});
}

void PutState(const PageData& data, std::string& out) {
  if (data.input) return PutInput(*data.input, data.filtered, out);
  if (IsInSync(data)) {
    out +=
        "<div class=\"state\" role=\"status\"><p><b>In sync</b> with the API "
        "server. Watching ";
    Put(out, {WatchedNamespaces(data), data.filtered ? " with filters, " : ", ",
              Plural(static_cast<uint64_t>(std::max<int64_t>(data.tracked, 0)),
                     "Event", "Events"),
              " tracked, up ", AgeText(data.uptime), ".</p></div>\n"});
    return;
  }
  Put(out, {"<div class=\"state bad\" role=\"status\"><p><b>",
            IsSynced(data) ? "Out of contact" : "Not in sync",
            "</b> with the API server: ",
            IsSynced(data) ? "newer Events are missing"
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

void PutFoot(const PageData& data, std::string& out) {
  Put(out, {"</main>\n<footer><p>As of ", TimeText(data.now),
            " UTC. <a href=\"\">Refresh</a></p>\n</footer>\n</body>\n"
            "</html>\n"});
}

}  // namespace kem

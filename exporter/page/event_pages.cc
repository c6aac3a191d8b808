#include "page/event_pages.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/ascii.h"
#include "base/rfc3339.h"
#include "events/cluster_kinds.h"
#include "history/event_query.h"
#include "page/object_page.h"

namespace kem {
namespace {

constexpr size_t kMaxRelated = 100;
constexpr size_t kMaxOthers = 10;
// Of the source, read to find an Event of the wanted API group.
constexpr int kMaxPages = 4;

// What one page may ask: the source, until its time is over.
struct Questions {
  EventSource& source;
  const Clock& clock;
  const std::stop_token& stop;
  const SteadyTime end = clock.SteadyNow() + EventSource::kQueryLimit;

  bool Over() const { return clock.SteadyNow() >= end; }
};

int StatusOf(const Error& error) {
  return error.code == ErrorCode::kRejected ? 400 : 503;
}

// As a sentence of its own.
std::string Sentence(std::string text) {
  if (!text.empty() && !text.ends_with('.')) text += '.';
  return text;
}

PageFilter FilterOf(std::string_view url_query) {
  const auto read = [url_query](std::string_view name) {
    return UrlParameter(url_query, name);
  };
  return {read("kind"),   read("name"),  read("namespace"),
          read("reason"), read("type"),  read("component"),
          read("q"),      read("since"), read("until")};
}

// Grafana's links have milliseconds; the form shows a time that people read.
void MakeReadable(WallTime time, std::string& text) {
  if (std::all_of(text.begin(), text.end(), IsAsciiDigit)) {
    text = FormatRfc3339Seconds(time);
  }
}

// The same query from another Event on, "?" if it is all Events.
std::string PageQuery(EventQuery query, std::string cursor) {
  query.cursor = std::move(cursor);
  return "?" + ToUrlQuery(query);
}

// What an EventSource finds by `query` and `matches` confirms.
struct Relation {
  const char* title;
  const char* note;
  EventQuery query;
  std::function<bool(const FoundEvent&)> matches;
};

EventQuery WarningsOfPods() {
  EventQuery query;
  query.kind = "Pod";
  query.type = "Warning";
  return query;
}

// Kubelets write the name of their node as the host of Events about Pods.
// Others may write it too.
Relation PodsOfNode(const std::string& node) {
  EventQuery query = WarningsOfPods();
  query.host = node;
  return {"Warnings about Pods that name this node as their reporter",
          "Kubelets write these Warnings, but so may anyone who may write "
          "Events.",
          std::move(query),
          [node](const FoundEvent& event) { return event.host == node; }};
}

// The kubelet and the attach-detach controller quote the volume's name.
Relation PodsOfVolume(const std::string& volume) {
  EventQuery query = WarningsOfPods();
  query.words = {volume};
  return {"Warnings about Pods that name this volume", "", std::move(query),
          [quoted = "\"" + volume + "\""](const FoundEvent& event) {
            return event.message.find(quoted) != std::string::npos;
          }};
}

// Provisioners name a volume after the UID of its claim.
Relation ClaimOfVolume(const std::string& uid) {
  EventQuery query;
  query.kind = "PersistentVolumeClaim";
  query.object_uid = uid;
  return {"Events of its claim", "", std::move(query),
          [uid](const FoundEvent& event) { return event.object_uid == uid; }};
}

std::vector<Relation> RelationsOf(const ObjectName& object) {
  std::vector<Relation> relations;
  if (!object.group.empty() || !object.object_namespace.empty()) {
    return relations;
  }
  if (object.kind == "Node") relations.push_back(PodsOfNode(object.name));
  if (object.kind == "PersistentVolume") {
    constexpr std::string_view kPrefix = "pvc-";
    if (object.name.starts_with(kPrefix) &&
        object.name.size() > kPrefix.size()) {
      relations.push_back(ClaimOfVolume(object.name.substr(kPrefix.size())));
    }
    relations.push_back(PodsOfVolume(object.name));
  }
  return relations;
}

// Keeps the Events of the page if a related query fails.
void AddRelated(const Questions& ask, ObjectPage& page) {
  for (Relation& relation : RelationsOf(page.object)) {
    relation.query.since = page.since;
    relation.query.until = page.until;
    relation.query.limit = kMaxRelated;
    ObjectPage::Related related{relation.title, relation.note, "", {}};
    if (ask.Over()) {
      related.problem =
          "Left out because the Events of the object took long; load the page "
          "again or choose a shorter time range.";
    } else if (Result<FoundEvents> found =
                   ask.source.FindEvents(relation.query, ask.stop);
               !found) {
      related.problem = Sentence(found.error().message);
    } else {
      std::copy_if(std::make_move_iterator(found->events.begin()),
                   std::make_move_iterator(found->events.end()),
                   std::back_inserter(related.events), relation.matches);
    }
    page.related.push_back(std::move(related));
  }
}

void AddOthers(const Questions& ask, ObjectPage& page) {
  EventQuery query;
  query.kind = page.object.kind;
  query.name = page.object.name;
  query.limit = kMaxOthers;
  const Result<FoundObjects> found = ask.source.FindObjects(query, ask.stop);
  if (!found) return;
  for (const FoundObject& object : found->objects) {
    page.others.push_back(
        {object.kind, object.cluster_scoped ? "" : object.object_namespace,
         object.name, std::string(ApiGroup(object.api_version))});
  }
}

// A page of the source may have Events of other API groups only.
Result<void> AddEvents(const Questions& ask, EventQuery query,
                       ObjectPage& page) {
  for (int i = 0; i < kMaxPages && (i == 0 || !ask.Over()); ++i) {
    Result<FoundEvents> found = ask.source.FindEvents(query, ask.stop);
    if (!found) return found.error();
    page.events = std::move(found->events);
    page.more = !found->next.empty();
    std::erase_if(page.events, [&page](const FoundEvent& event) {
      return !page.object.group.empty() && !event.api_version.empty() &&
             ApiGroup(event.api_version) != page.object.group;
    });
    if (!page.events.empty() || !page.more) break;
    query.cursor = std::move(found->next);
  }
  return {};
}

// The status of the answer.
int FillObject(const EventQuery& asked, const Questions& ask,
               ObjectPage& page) {
  EventQuery query;
  query.kind = page.object.kind;
  query.name = page.object.name;
  query.object_namespace = page.object.object_namespace;
  query.since = asked.since;
  query.until = asked.until;
  query.limit = EventQuery::kMaxLimit;
  if (Result<void> added = AddEvents(ask, std::move(query), page); !added) {
    page.problem = Sentence(added.error().message);
    return StatusOf(added.error());
  }
  if (page.events.empty()) {
    AddOthers(ask, page);
    return 404;
  }
  AddRelated(ask, page);
  return 200;
}

}  // namespace

bool IsFiltered(std::string_view url_query) {
  const Result<EventQuery> query = ParseEventQuery(url_query, WallTime());
  return !query || !ToUrlQuery(*query).empty();
}

PageAnswer AnswerList(const PageData& data, std::string_view url_query,
                      EventSource& source, const std::stop_token& stop) {
  PageList list;
  list.filter = FilterOf(url_query);
  const Result<EventQuery> query = ParseEventQuery(url_query, data.now);
  if (!query) {
    list.problem = Sentence(query.error().message);
    return {400, RenderList(data, std::move(list))};
  }
  if (query->since) MakeReadable(*query->since, list.filter.since);
  if (query->until) {
    MakeReadable(std::chrono::ceil<std::chrono::seconds>(*query->until),
                 list.filter.until);
  }
  Result<FoundEvents> found = source.FindEvents(*query, stop);
  if (!found) {
    list.problem = Sentence(found.error().message);
    return {StatusOf(found.error()), RenderList(data, std::move(list))};
  }
  list.events = std::move(found->events);
  if (!found->next.empty()) list.older = PageQuery(*query, found->next);
  if (!query->cursor.empty()) list.newest = PageQuery(*query, "");
  return {200, RenderList(data, std::move(list))};
}

PageAnswer AnswerObject(const PageData& data, const std::string& kind,
                        const std::string& name, std::string_view url_query,
                        EventSource& source, const Clock& clock,
                        const std::stop_token& stop) {
  ObjectPage page;
  page.object.kind = kind;
  page.object.name = name;
  const Result<EventQuery> asked = ParseEventQuery(url_query, data.now);
  if (!asked) {
    page.problem = Sentence(asked.error().message);
    return {400, RenderObject(data, std::move(page))};
  }
  page.object.object_namespace = asked->object_namespace.value_or("");
  page.object.group = UrlParameter(url_query, "group");
  page.range = UrlParameter(url_query, "since");
  page.since = asked->since;
  page.until = asked->until;
  const int status = FillObject(*asked, {source, clock, stop}, page);
  return {status, RenderObject(data, std::move(page))};
}

}  // namespace kem

#include "history/event_json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"
#include "base/rfc3339.h"
#include "base/safe_text.h"

namespace kem {
namespace {

using Json = nlohmann::ordered_json;

// As Kubernetes does, an empty text is left out.
void Put(const char* name, const std::string& text, Json& to) {
  if (!text.empty()) to[name] = text;
}

const char* ScopeName(bool cluster_scoped) {
  return cluster_scoped ? "cluster" : "namespaced";
}

Json EventJson(const FoundEvent& event) {
  Json metadata = Json::object();
  Put("uid", event.uid, metadata);
  Put("namespace", event.event_namespace, metadata);
  Put("name", event.name, metadata);
  Json object = Json::object();
  Put("apiVersion", event.api_version, object);
  Put("kind", event.kind, object);
  Put("namespace", event.object_namespace, object);
  Put("name", event.object_name, object);
  Put("uid", event.object_uid, object);
  Json json = {{"metadata", std::move(metadata)},
               {"involvedObject", std::move(object)},
               {"scope", ScopeName(event.cluster_scoped)}};
  Put("reason", event.reason, json);
  Put("type", event.type, json);
  Put("reportingComponent", event.reporting_component, json);
  Put("message", event.message, json);
  json["count"] = event.count;
  json["firstTimestamp"] = FormatRfc3339Millis(event.first_seen);
  json["lastTimestamp"] = FormatRfc3339Millis(event.last_seen);
  json["receivedTimestamp"] = FormatRfc3339Millis(event.received);
  Json occurrences = Json::array();
  for (const Jump& jump : event.jumps) {
    occurrences.push_back(
        {{"timestamp", FormatRfc3339Millis(jump.at)}, {"count", jump.delta}});
  }
  json["occurrences"] = std::move(occurrences);
  return json;
}

Json ObjectJson(const FoundObject& object) {
  Json json = Json::object();
  Put("apiVersion", object.api_version, json);
  Put("kind", object.kind, json);
  Put("namespace", object.object_namespace, json);
  Put("name", object.name, json);
  json["scope"] = ScopeName(object.cluster_scoped);
  json["events"] = object.events;
  json["warnings"] = object.warnings;
  json["receivedTimestamp"] = FormatRfc3339Millis(object.last_received);
  return json;
}

std::string Text(const Json& json) {
  return EscapeHiddenInJson(JsonText(json));
}

// One item at a time, because Json takes much more memory than its text.
template <typename T, typename Render>
std::string Page(const char* name, std::vector<T> items,
                 const std::string& next, WallTime known_since, Render render) {
  std::string page =
      std::string(R"({"status":"success","data":{")") + name + "\":[";
  const char* separator = "";
  for (T& item : items) {
    const T one = std::move(item);
    page.append(std::exchange(separator, ",")).append(Text(render(one)));
    if (page.size() > kMaxJson) return "";
  }
  page += ']';
  if (!next.empty()) page.append(R"(,"next":)").append(Text(next));
  if (known_since != WallTime::min()) {
    page.append(R"(,"knownSince":)")
        .append(Text(FormatRfc3339Millis(known_since)));
  }
  return page.append("}}\n");
}

}  // namespace

std::string EventsJson(FoundEvents found, WallTime known_since) {
  return Page("events", std::move(found.events), found.next, known_since,
              EventJson);
}

std::string ObjectsJson(FoundObjects found, WallTime known_since) {
  return Page("objects", std::move(found.objects), found.next, known_since,
              ObjectJson);
}

std::string ErrorJson(std::string_view type, const std::string& message) {
  return Text({{"status", "error"}, {"errorType", type}, {"error", message}}) +
         "\n";
}

}  // namespace kem

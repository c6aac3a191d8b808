#include "page/page_links.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/encoding.h"
#include "events/cluster_kinds.h"
#include "history/event_query.h"

namespace kem {
namespace {

// As a segment of a path: browsers and proxies resolve dots and slashes, even
// when they are encoded.
bool IsSegment(std::string_view text) {
  return text != "." && text != ".." &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return c == '/' || c == '\\' || IsAsciiControl(c);
         });
}

std::string Milliseconds(WallTime time) {
  return std::to_string(
      std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch())
          .count());
}

bool IsOneOf(std::string_view kind,
             std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// As in dashboards/source/names.py.
bool HasStorageDashboard(std::string_view kind) {
  return IsOneOf(kind, {"PersistentVolume", "VolumeSnapshotContent",
                        "VolumeGroupSnapshotContent", "VolumeAttachment",
                        "StorageClass", "CSIDriver", "CSINode"});
}
bool HasLifecycleDashboard(std::string_view kind) {
  return IsOneOf(kind, {"NodeClaim", "NodePool"}) ||
         kind.ends_with("NodeClass");
}

}  // namespace

std::string QueryText(std::initializer_list<QueryPair> pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    text += text.empty() ? '?' : '&';
    text.append(name).append("=").append(PercentEncode(value));
  }
  return text;
}

ObjectName ObjectOf(const FoundEvent& event) {
  return {event.kind, event.cluster_scoped ? "" : event.object_namespace,
          event.object_name, std::string(ApiGroup(event.api_version))};
}

std::string ObjectLink(const ObjectName& object) {
  for (const std::string* name :
       {&object.kind, &object.object_namespace, &object.name, &object.group}) {
    if (name->size() > kMaxQueryValue) return "";
  }
  if (object.kind.empty() || object.name.empty()) return "";
  if (!IsSegment(object.kind) || !IsSegment(object.name)) {
    return EventsLink(object);
  }
  return "objects/" + PercentEncode(object.kind) + "/" +
         PercentEncode(object.name) +
         QueryText(
             {{"namespace", object.object_namespace}, {"group", object.group}});
}

std::string EventsLink(const ObjectName& object) {
  return QueryText(
      {{"kind", object.kind},
       {"name", object.name},
       {"namespace",
        object.object_namespace.empty() ? "-" : object.object_namespace}});
}

std::string DashboardLink(std::string_view grafana_url,
                          const ObjectName& object, WallTime from,
                          WallTime to) {
  if (!grafana_url.starts_with("https://") &&
      !grafana_url.starts_with("http://")) {
    return "";
  }
  if (!object.object_namespace.empty() || object.name.size() > kMaxQueryValue) {
    return "";
  }
  std::string uid = "kube-event-platform";
  std::string_view kind = object.kind;
  std::string_view name_variable = "var-object_name";
  if (kind == "Node" && object.group.empty()) {
    uid = "kube-event-nodes";
    name_variable = "var-node";
    kind = "";
  } else if (HasStorageDashboard(kind)) {
    uid = "kube-event-storage";
  } else if (HasLifecycleDashboard(kind)) {
    uid = "kube-event-node-lifecycle";
    kind = "";
  }
  return std::string(grafana_url) + "/d/" + uid +
         QueryText({{"var-kind", kind},
                    {name_variable, object.name},
                    {"from", Milliseconds(from)},
                    {"to", Milliseconds(to)}});
}

}  // namespace kem

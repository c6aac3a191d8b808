#include "sinks/record_fields.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/ascii.h"
#include "base/rfc3339.h"
#include "events/cluster_kinds.h"
#include "sinks/annotation.h"

namespace kem {
namespace {

// The kinds whose names and uids the conventions define (entities.yaml; a
// storage class has only a name, in registry.yaml).
struct Entity {
  std::string_view group;
  std::string_view kind;
  Scope scope;
  std::string_view name;
  std::string_view uid;  // empty: not defined
};
constexpr Entity kEntities[] = {
    {"", "Node", Scope::kCluster, "k8s.node.name", "k8s.node.uid"},
    {"", "Pod", Scope::kNamespaced, "k8s.pod.name", "k8s.pod.uid"},
    {"", "PersistentVolume", Scope::kCluster, "k8s.persistentvolume.name",
     "k8s.persistentvolume.uid"},
    {"", "PersistentVolumeClaim", Scope::kNamespaced,
     "k8s.persistentvolumeclaim.name", "k8s.persistentvolumeclaim.uid"},
    {"", "Namespace", Scope::kCluster, "k8s.namespace.name", ""},
    {"", "ReplicationController", Scope::kNamespaced,
     "k8s.replicationcontroller.name", "k8s.replicationcontroller.uid"},
    {"", "ResourceQuota", Scope::kNamespaced, "k8s.resourcequota.name",
     "k8s.resourcequota.uid"},
    {"", "Service", Scope::kNamespaced, "k8s.service.name", "k8s.service.uid"},
    {"apps", "Deployment", Scope::kNamespaced, "k8s.deployment.name",
     "k8s.deployment.uid"},
    {"apps", "ReplicaSet", Scope::kNamespaced, "k8s.replicaset.name",
     "k8s.replicaset.uid"},
    {"apps", "StatefulSet", Scope::kNamespaced, "k8s.statefulset.name",
     "k8s.statefulset.uid"},
    {"apps", "DaemonSet", Scope::kNamespaced, "k8s.daemonset.name",
     "k8s.daemonset.uid"},
    {"batch", "Job", Scope::kNamespaced, "k8s.job.name", "k8s.job.uid"},
    {"batch", "CronJob", Scope::kNamespaced, "k8s.cronjob.name",
     "k8s.cronjob.uid"},
    {"autoscaling", "HorizontalPodAutoscaler", Scope::kNamespaced,
     "k8s.hpa.name", "k8s.hpa.uid"},
    {"storage.k8s.io", "StorageClass", Scope::kCluster, "k8s.storageclass.name",
     ""},
};

// Null for other kinds, and for a kind of this name that has the other scope:
// then the claim is not trusted. Kubelets leave apiVersion empty.
const Entity* FindEntity(const Occurrence& occurrence) {
  const std::string_view group = ApiGroup(occurrence.api_version);
  const auto* found = std::find_if(
      std::begin(kEntities), std::end(kEntities), [&](const Entity& one) {
        return one.kind == occurrence.kind && one.group == group &&
               one.scope == occurrence.scope;
      });
  return found == std::end(kEntities) ? nullptr : found;
}

// A log attribute that is a text of the Event.
struct TextField {
  std::string_view key;
  std::string_view Event::*text;
};
constexpr TextField kTextFields[] = {
    {"k8s.event.reason", &Event::reason},
    {"k8s.event.action", &Event::action},
    {"k8s.event.name", &Event::name},
    {"k8s.event.namespace", &Event::event_namespace},
    {"k8s.event.uid", &Event::uid},
    {"k8s.event.reporting_controller", &Event::reporting_component},
    {"kube_event.reporting_host", &Event::host},
    {"k8s.object.kind", &Event::kind},
    {"k8s.object.name", &Event::object_name},
    {"k8s.object.uid", &Event::object_uid},
    {"k8s.object.fieldpath", &Event::field_path},
    {"k8s.object.api_version", &Event::api_version},
    {"k8s.object.resource_version", &Event::object_version},
};

bool SameIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && AsciiLower(text) == lower;
}

}  // namespace

Attributes ServiceAttributes(const std::string& instance, Attributes more) {
  more.emplace("service.name", kServiceName);
  if (!instance.empty()) more.emplace("service.instance.id", instance);
  return more;
}

bool IsReservedAttribute(std::string_view name) {
  constexpr std::string_view kNames[] = {"service.name", "service.instance.id",
                                         kRecordId,
                                         // In the lines of the sink log.
                                         "time", "severity", "body"};
  if (name == "k8s.cluster.name" || name == "k8s.cluster.uid") return false;
  return name.starts_with("k8s.") || name.starts_with("kube_event.") ||
         std::find(std::begin(kNames), std::end(kNames), name) !=
             std::end(kNames);
}

// As the receiver: other types than Kubernetes' two are rare.
LogSeverity SeverityOf(const Occurrence& occurrence) {
  constexpr std::array<std::pair<std::string_view, int>, 3> kLevels = {
      {{"warning", 13}, {"error", 17}, {"critical", 21}}};
  for (const auto& [type, number] : kLevels) {
    if (SameIgnoringCase(occurrence.type, type)) {
      return {number, occurrence.type};
    }
  }
  return {9, occurrence.type};
}

uint64_t UnixNanoseconds(WallTime time) {
  constexpr int64_t kPerMicrosecond = 1000;
  constexpr int64_t kMost =
      std::numeric_limits<int64_t>::max() / kPerMicrosecond;
  const std::chrono::microseconds since = time.time_since_epoch();
  const int64_t count = std::clamp<int64_t>(since.count(), 0, kMost);
  return static_cast<uint64_t>(count * kPerMicrosecond);
}

void ForEachResourceField(const Occurrence& occurrence,
                          const FieldVisitor& visit) {
  const auto text = [&](std::string_view key, std::string_view value) {
    if (!key.empty() && !value.empty()) visit(key, value);
  };
  if (occurrence.scope == Scope::kNamespaced) {
    text("k8s.namespace.name", NamespaceOfObject(occurrence));
  }
  const Entity* entity = FindEntity(occurrence);
  if (entity == nullptr) return;
  text(entity->name, occurrence.object_name);
  if (IsUuid(occurrence.object_uid)) text(entity->uid, occurrence.object_uid);
}

void ForEachLogField(const Occurrence& occurrence, const FieldVisitor& visit) {
  visit(kRecordId, occurrence.Id());
  visit("kube_event.scope",
        occurrence.scope == Scope::kCluster ? "cluster" : "namespaced");
  visit("kube_event.delta", int64_t{occurrence.delta});
  visit("k8s.event.count", int64_t{occurrence.count});
  visit("k8s.event.start_time", FormatRfc3339Millis(occurrence.first_seen));
  for (const TextField& field : kTextFields) {
    const std::string_view value = occurrence.*field.text;
    if (!value.empty()) visit(field.key, value);
  }
}

}  // namespace kem

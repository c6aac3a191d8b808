#include "events/cluster_kinds.h"

#include <algorithm>
#include <array>
#include <span>

namespace kem {
namespace {

struct TableRow {
  std::string_view kind;
  std::string_view group;
};

// Kubernetes 1.37 (api/discovery in its source), sorted by kind.
constexpr std::string_view kAdmission = "admissionregistration.k8s.io";
constexpr std::string_view kAuthentication = "authentication.k8s.io";
constexpr std::string_view kAuthorization = "authorization.k8s.io";
constexpr std::string_view kFlowControl = "flowcontrol.apiserver.k8s.io";
constexpr std::string_view kRbac = "rbac.authorization.k8s.io";
constexpr std::array<TableRow, 39> kClusterScoped = {{
    {"APIService", "apiregistration.k8s.io"},
    {"CSIDriver", "storage.k8s.io"},
    {"CSINode", "storage.k8s.io"},
    {"CertificateSigningRequest", "certificates.k8s.io"},
    {"ClusterRole", kRbac},
    {"ClusterRoleBinding", kRbac},
    {"ClusterTrustBundle", "certificates.k8s.io"},
    {"ComponentStatus", ""},
    {"CustomResourceDefinition", "apiextensions.k8s.io"},
    {"DeviceClass", "resource.k8s.io"},
    {"DeviceTaintRule", "resource.k8s.io"},
    {"FlowSchema", kFlowControl},
    {"IPAddress", "networking.k8s.io"},
    {"IngressClass", "networking.k8s.io"},
    {"MutatingAdmissionPolicy", kAdmission},
    {"MutatingAdmissionPolicyBinding", kAdmission},
    {"MutatingWebhookConfiguration", kAdmission},
    {"Namespace", ""},
    {"Node", ""},
    {"PersistentVolume", ""},
    {"PriorityClass", "scheduling.k8s.io"},
    {"PriorityLevelConfiguration", kFlowControl},
    {"ResourcePoolStatusRequest", "resource.k8s.io"},
    {"ResourceSlice", "resource.k8s.io"},
    {"RuntimeClass", "node.k8s.io"},
    {"SelfSubjectAccessReview", kAuthorization},
    {"SelfSubjectReview", kAuthentication},
    {"SelfSubjectRulesReview", kAuthorization},
    {"ServiceCIDR", "networking.k8s.io"},
    {"StorageClass", "storage.k8s.io"},
    {"StorageVersion", "internal.apiserver.k8s.io"},
    {"StorageVersionMigration", "storagemigration.k8s.io"},
    {"SubjectAccessReview", kAuthorization},
    {"TokenReview", kAuthentication},
    {"ValidatingAdmissionPolicy", kAdmission},
    {"ValidatingAdmissionPolicyBinding", kAdmission},
    {"ValidatingWebhookConfiguration", kAdmission},
    {"VolumeAttachment", "storage.k8s.io"},
    {"VolumeAttributesClass", "storage.k8s.io"},
}};
// With "extensions", which had some of them before Kubernetes 1.16: a dump may
// be old.
constexpr std::array<TableRow, 46> kNamespaced = {{
    {"Binding", ""},
    {"CSIStorageCapacity", "storage.k8s.io"},
    {"CompositePodGroup", "scheduling.k8s.io"},
    {"ConfigMap", ""},
    {"ControllerRevision", "apps"},
    {"CronJob", "batch"},
    {"DaemonSet", "apps"},
    {"DaemonSet", "extensions"},
    {"Deployment", "apps"},
    {"Deployment", "extensions"},
    {"EndpointSlice", "discovery.k8s.io"},
    {"Endpoints", ""},
    {"Event", ""},
    {"Event", "events.k8s.io"},
    {"Eviction", "lifecycle.k8s.io"},
    {"EvictionRequest", "lifecycle.k8s.io"},
    {"HorizontalPodAutoscaler", "autoscaling"},
    {"Ingress", "extensions"},
    {"Ingress", "networking.k8s.io"},
    {"Job", "batch"},
    {"Lease", "coordination.k8s.io"},
    {"LeaseCandidate", "coordination.k8s.io"},
    {"LimitRange", ""},
    {"LocalSubjectAccessReview", kAuthorization},
    {"NetworkPolicy", "extensions"},
    {"NetworkPolicy", "networking.k8s.io"},
    {"PersistentVolumeClaim", ""},
    {"Pod", ""},
    {"PodCertificateRequest", "certificates.k8s.io"},
    {"PodCheckpoint", "checkpoint.k8s.io"},
    {"PodDisruptionBudget", "policy"},
    {"PodGroup", "scheduling.k8s.io"},
    {"PodTemplate", ""},
    {"ReplicaSet", "apps"},
    {"ReplicaSet", "extensions"},
    {"ReplicationController", ""},
    {"ResourceClaim", "resource.k8s.io"},
    {"ResourceClaimTemplate", "resource.k8s.io"},
    {"ResourceQuota", ""},
    {"Role", kRbac},
    {"RoleBinding", kRbac},
    {"Secret", ""},
    {"Service", ""},
    {"ServiceAccount", ""},
    {"StatefulSet", "apps"},
    {"Workload", "scheduling.k8s.io"},
}};

constexpr bool ByKind(const TableRow& a, const TableRow& b) {
  return a.kind < b.kind;
}
static_assert(std::is_sorted(kClusterScoped.begin(), kClusterScoped.end(),
                             ByKind));
static_assert(std::is_sorted(kNamespaced.begin(), kNamespaced.end(), ByKind));

bool Has(std::span<const TableRow> table, std::string_view api_version,
         std::string_view kind) {
  const auto [first, last] =
      std::equal_range(table.begin(), table.end(), TableRow{kind, {}}, ByKind);
  return std::any_of(first, last, [api_version](const TableRow& row) {
    return api_version.empty() || row.group == ApiGroup(api_version);
  });
}

}  // namespace

std::string_view ApiGroup(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view()
                                         : api_version.substr(0, slash);
}

bool IsBuiltInClusterKind(std::string_view api_version, std::string_view kind) {
  return Has(kClusterScoped, api_version, kind);
}

bool IsBuiltInNamespacedKind(std::string_view api_version,
                             std::string_view kind) {
  return Has(kNamespaced, api_version, kind);
}

}  // namespace kem

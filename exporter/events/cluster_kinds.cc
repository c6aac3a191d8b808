#include "events/cluster_kinds.h"

#include <algorithm>
#include <array>

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
constexpr std::array<TableRow, 39> kTable = {{
    {"APIService", "apiregistration.k8s.io"},
    {"CSIDriver", "storage.k8s.io"},
    {"CSINode", "storage.k8s.io"},
    {"CertificateSigningRequest", "certificates.k8s.io"},
    {"ClusterRole", "rbac.authorization.k8s.io"},
    {"ClusterRoleBinding", "rbac.authorization.k8s.io"},
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
static_assert(std::is_sorted(kTable.begin(), kTable.end(),
                             [](const TableRow& a, const TableRow& b) {
                               return a.kind < b.kind;
                             }));

}  // namespace

std::string_view ApiGroup(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view()
                                         : api_version.substr(0, slash);
}

bool IsBuiltInClusterKind(std::string_view api_version, std::string_view kind) {
  const auto row = std::lower_bound(
      kTable.begin(), kTable.end(), kind,
      [](const TableRow& a, std::string_view b) { return a.kind < b; });
  return row != kTable.end() && row->kind == kind &&
         (api_version.empty() || row->group == ApiGroup(api_version));
}

}  // namespace kem

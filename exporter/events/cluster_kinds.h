// The kinds of Kubernetes itself, cluster-scoped and namespaced, as tables.
// Used by ScopeResolver where discovery has no answer, as in a dump, and by the
// reason catalogue's tool. Has no custom resources.
#pragma once

#include <string_view>

namespace kem {

// The group of an apiVersion, as a view into it: "apps" of "apps/v1"; empty for
// "v1", the core group, and for an empty apiVersion.
std::string_view ApiGroup(std::string_view api_version);

// Unless `api_version` is empty its group must match too; the version does not
// matter. Thread-safe.
bool IsBuiltInClusterKind(std::string_view api_version, std::string_view kind);
bool IsBuiltInNamespacedKind(std::string_view api_version,
                             std::string_view kind);

}  // namespace kem

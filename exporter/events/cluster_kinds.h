// The cluster-scoped kinds of Kubernetes itself, as a table. Used by
// ScopeResolver while discovery has no answer, and by the reason catalogue's
// tool. Has no namespaced kinds and no custom resources.
#pragma once

#include <string_view>

namespace kem {

// The group of an apiVersion, as a view into it: "apps" of "apps/v1"; empty for
// "v1", the core group, and for an empty apiVersion.
std::string_view ApiGroup(std::string_view api_version);

// Unless `api_version` is empty its group must match too; the version does not
// matter. Thread-safe.
bool IsBuiltInClusterKind(std::string_view api_version, std::string_view kind);

}  // namespace kem

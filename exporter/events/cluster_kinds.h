// The cluster-scoped kinds of Kubernetes itself, for the time in which
// discovery cannot answer. ScopeResolver's second best source. Says nothing
// about namespaced kinds nor custom resources.
#pragma once

#include <string_view>

namespace kem {

// The group in an apiVersion: "apps" of "apps/v1"; empty for the core group's
// "v1" and for an empty one. A view into `api_version`.
std::string_view ApiGroup(std::string_view api_version);

// Whether this is one of them. A kind of the same name in somebody else's
// group is not, so when `api_version` is given, its group must fit; the
// version does not matter. Thread-safe.
bool IsBuiltInClusterKind(std::string_view api_version, std::string_view kind);

}  // namespace kem
